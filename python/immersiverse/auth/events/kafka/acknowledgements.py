"""Which reports of success prove that the log holds a message.

librdkafka can report a message as delivered that no broker has stored: when a later batch of the same
partition is accepted, it takes the earlier ones for accepted too (confluent-kafka-go#921). One request in
flight keeps that from happening; this check refuses such a report if it happens all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from confluent_kafka import KafkaError

if TYPE_CHECKING:
    from confluent_kafka import Message

UNCONFIRMED: Final = "UNCONFIRMED"
"""The code of an error for a report of success without proof."""


class Acknowledgements:
    """Checks the reports of success of one producer, in the order in which they come.

    A broker gives each message of a partition an offset of its own, and an idempotent producer's messages
    rising ones. Not for several threads at once.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[str | None, int | None], int] = {}

    def doubt(self, report: Message) -> str:
        """Why a report of success proves nothing; empty if it is proof."""
        offset = report.offset()
        if offset is None or offset < 0:
            return "reported as delivered without an offset; the log may not hold it: publish it again"
        partition = report.topic(), report.partition()
        last = self._last.get(partition, -1)
        if offset <= last:
            return (
                f"reported at offset {offset}, after offset {last} of the same partition; the log may not "
                "hold it: publish it again, with a new producer if the topic was deleted and created again"
            )
        self._last[partition] = offset
        return ""

    def error(self, report: Message) -> KafkaError | None:
        """The same as one of librdkafka's errors; None for proof."""
        doubt = self.doubt(report)
        return KafkaError(KafkaError._FAIL, doubt) if doubt else None  # noqa: SLF001 - librdkafka's name
