"""A consumer's lag, from librdkafka's statistics (its STATISTICS.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.observability.hooks import Lag
from immersiverse.auth.events.partition import Partition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from immersiverse.auth.events.observability.hooks import Detail


class LagReport:
    """Tells the lag of the partitions that one consumer has, for as long as it has them.

    Args:
        group: its consumer group.
        from_beginning: whether it begins with the oldest event where the group has committed nothing.
        tell: who hears of it.
    """

    def __init__(self, group: str, tell: Callable[[Detail], None], *, from_beginning: bool) -> None:
        self._group = group
        self._tell = tell
        self._from_beginning = from_beginning
        self._name = ""
        self._lags: dict[Partition, int] = {}

    def heed(self, statistics: Mapping[str, Any]) -> None:
        """Tell what the consumer's latest statistics say."""
        self._name = statistics["name"]
        self._lags = consumer_lags(statistics, from_beginning=self._from_beginning)
        self._tell(Lag(self._name, self._group, dict(self._lags)))

    def withdraw(self, partitions: Iterable[Partition]) -> None:
        """Tell that the consumer has these no more: another may, and its word counts then."""
        gone = [self._lags.pop(partition) for partition in partitions if partition in self._lags]
        if gone:
            self._tell(Lag(self._name, self._group, dict(self._lags)))

    def end(self) -> None:
        """Tell that the consumer has nothing any more."""
        self.withdraw(list(self._lags))


def consumer_lags(statistics: Mapping[str, Any], *, from_beginning: bool) -> dict[Partition, int]:
    """How many events of each assigned partition are not committed yet, where that is known.

    Args:
        statistics: a consumer's.
        from_beginning: count all retained events where nothing is committed; else leave the partition out.
    """
    lags: dict[Partition, int] = {}
    for topic, about in statistics.get("topics", {}).items():
        for partition in about["partitions"].values():
            # Partitions that were given away stay in the document; number -1 is librdkafka's own.
            if partition["partition"] >= 0 and partition["desired"]:
                lag = _lag(partition, from_beginning=from_beginning)
                if lag >= 0:
                    lags[Partition(topic, partition["partition"])] = lag
    return lags


def _lag(partition: Mapping[str, int], *, from_beginning: bool) -> int:
    """Less than 0 if it is not known."""
    if partition["committed_offset"] >= 0:
        return partition["consumer_lag"]
    begin, end = partition["lo_offset"], partition["ls_offset"]
    return end - begin if from_beginning and 0 <= begin <= end else -1
