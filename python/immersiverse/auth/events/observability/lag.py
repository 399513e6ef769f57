"""A consumer's lag, from librdkafka's statistics (its STATISTICS.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.observability.hooks import Lag
from immersiverse.auth.events.partition import Partition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from immersiverse.auth.events.observability.hooks import Detail


class LagReport:
    """Reports the lag of the partitions that are assigned to one consumer.

    Args:
        group: its consumer group.
        notify: called with each `Lag`.
        from_beginning: whether it begins with the oldest event where the group has committed nothing.
    """

    def __init__(self, group: str, notify: Callable[[Detail], None], *, from_beginning: bool) -> None:
        self._group = group
        self._notify = notify
        self._from_beginning = from_beginning
        self._name = ""
        self._lags: dict[Partition, int] = {}

    def update(self, statistics: Mapping[str, Any]) -> None:
        """Report the lag in the consumer's latest statistics."""
        self._name = statistics["name"]
        self._report(consumer_lags(statistics, from_beginning=self._from_beginning))

    def withdraw(self, partitions: Iterable[Partition]) -> None:
        """Report that these partitions were revoked: another consumer may report their lag now."""
        revoked = set(partitions)
        if not revoked.isdisjoint(self._lags):
            self._report({key: lag for key, lag in self._lags.items() if key not in revoked})

    def end(self) -> None:
        """Report that no partition is assigned any more."""
        self.withdraw(self._lags)

    def _report(self, lags: dict[Partition, int]) -> None:
        self._lags = lags
        self._notify(Lag(self._name, self._group, dict(lags)))


def consumer_lags(statistics: Mapping[str, Any], *, from_beginning: bool) -> dict[Partition, int]:
    """How many events of each assigned partition are not committed yet; without partitions of unknown lag.

    Args:
        statistics: a consumer's.
        from_beginning: count all retained events where nothing is committed; else omit the partition.
    """
    lags: dict[Partition, int] = {}
    for topic, about in statistics.get("topics", {}).items():
        for partition in about["partitions"].values():
            # Revoked partitions stay in the document; number -1 is librdkafka's own.
            if partition["partition"] >= 0 and partition["desired"]:
                lag = _lag(partition, from_beginning=from_beginning)
                if lag >= 0:
                    lags[Partition(topic, partition["partition"])] = lag
    return lags


def _lag(partition: Mapping[str, int], *, from_beginning: bool) -> int:
    """Negative if it is unknown."""
    if partition["committed_offset"] >= 0:
        return partition["consumer_lag"]
    begin, end = partition["lo_offset"], partition["ls_offset"]
    return end - begin if from_beginning and 0 <= begin <= end else -1
