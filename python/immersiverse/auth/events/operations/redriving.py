"""Send dead letters back, and remember each only when its topic has it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException

from immersiverse.auth.events.kafka.acknowledgements import Acknowledgements
from immersiverse.auth.events.operations.mailbox import Mailbox
from immersiverse.auth.events.operations.markers import marker_of
from immersiverse.auth.events.operations.partitions import existing_topics
from immersiverse.auth.events.operations.redrive import Fate, redriven
from immersiverse.auth.events.operations.turn import sole_turn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka import KafkaError, Message, Producer

    from immersiverse.auth.events.operations.cluster import Cluster
    from immersiverse.auth.events.operations.dead_letters import DeadLetter
    from immersiverse.auth.events.operations.mailbox import OnRead
    from immersiverse.auth.events.operations.redrive import Redrive, Redriven

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one letter.

    Attributes:
        letter: the letter.
        fate: what became of it.
        reason: why it failed or has to stay; empty where its fate says all.
    """

    letter: DeadLetter
    fate: Fate
    reason: str = ""


def survey(
    cluster: Cluster, topic: str, redrive: Redrive, *, on_read: OnRead | None = None
) -> Iterator[Outcome]:
    """What a redrive would do, letter by letter; nothing is sent.

    Args:
        cluster: where.
        topic: the dead letter topic.
        redrive: which letters. Those put aside before the moment that it names are not even read.
        on_read: is told now and then how many messages were read, of how many; they may be read twice.

    Raises:
        OperationRefused, BrokerUnavailable: if the letters cannot be read.
    """
    topics = existing_topics(cluster).keys() - {topic}
    mailbox = Mailbox(cluster, topic, since=redrive.wanted.since, on_read=on_read)
    done = mailbox.redriven()
    fates = ((letter, redrive.fate(letter, done, topics)) for letter in mailbox.letters())
    return (Outcome(letter, fate, redrive.reason(letter, fate)) for letter, fate in fates)


def carry_out(
    cluster: Cluster,
    topic: str,
    redrive: Redrive,
    *,
    rate: float | None = None,
    on_read: OnRead | None = None,
) -> Iterator[Outcome]:
    """Send letters back; each outcome comes when it is final.

    A letter is marked as sent back after its topic has acknowledged it. Interrupted in between, the next
    redrive sends it once more, under the same event id.

    Args:
        cluster: where.
        topic: the dead letter topic.
        redrive: which letters.
        rate: how many a second at most; as fast as it goes unless given.
        on_read: as in `survey`.

    Raises:
        OperationRefused: if the letters cannot be read, or not marked, or another redrive is running.
        BrokerUnavailable: if nobody answers; what was not acknowledged stays as it is.
    """
    courier, pace = _Courier(cluster, topic), _Pace(rate)
    with sole_turn(cluster, topic):
        outcomes = survey(cluster, topic, redrive, on_read=on_read)
        while batch := tuple(islice(outcomes, pace.batch)):
            going = [outcome.letter for outcome in batch if outcome.fate is Fate.REDRIVE]
            pace.wait(len(going))
            yield from (outcome for outcome in batch if outcome.fate is not Fate.REDRIVE)
            yield from courier.deliver(going)


class _Pace:
    """Keeps to so many letters a second."""

    def __init__(self, rate: float | None) -> None:
        self.batch = _BATCH if rate is None else max(1, min(_BATCH, int(rate / 10)))
        self._rate = rate
        self._due = time.monotonic()

    def wait(self, letters: int) -> None:
        """Return when so many more may go."""
        if self._rate is None or not letters:
            return
        now = time.monotonic()
        time.sleep(max(0.0, self._due - now))
        self._due = max(self._due, now) + letters / self._rate


class _Courier:
    """Delivers letters and marks those that arrived."""

    def __init__(self, cluster: Cluster, dead_letter_topic: str) -> None:
        self._cluster = cluster
        self._topic = dead_letter_topic
        self._producer: Producer = cluster.producer()
        self._acknowledgements = Acknowledgements()

    def deliver(self, letters: list[DeadLetter]) -> Iterator[Outcome]:
        """Send letters, then mark those that were acknowledged."""
        messages = [redriven(letter) for letter in letters]
        receipts = [self._send(message) for message in messages]
        self._producer.flush()
        marks = [
            self._mark(letter, message, receipt)
            for letter, message, receipt in zip(letters, messages, receipts, strict=True)
            if receipt.error is None
        ]
        self._producer.flush()
        for mark in marks:
            if mark.error is not None:
                purpose = f"mark letters in {self._topic} as sent back: the last ones will go once more"
                raise self._cluster.failure(purpose, mark.error)
        for letter, receipt in zip(letters, receipts, strict=True):
            yield self._outcome(letter, receipt)

    def _outcome(self, letter: DeadLetter, receipt: _Receipt) -> Outcome:
        if receipt.error is None:
            return Outcome(letter, Fate.REDRIVE)
        failure = self._cluster.failure(f"send it to {letter.topic}", receipt.error)
        if failure.retryable:
            raise failure  # whatever follows would fail alike
        return Outcome(letter, Fate.FAILED, str(failure))

    def _send(self, message: Redriven) -> _Receipt:
        receipt = _Receipt(self._acknowledgements)
        try:
            self._producer.produce(
                message.topic,
                message.value,
                message.key,
                headers=list(message.headers),
                on_delivery=receipt.take,
            )
        except KafkaException as error:
            receipt.error = error.args[0]
        return receipt

    def _mark(self, letter: DeadLetter, message: Redriven, receipt: _Receipt) -> _Receipt:
        marker = marker_of(
            letter, redrives=message.redrives, partition=receipt.partition, offset=receipt.offset
        )
        mark = _Receipt(self._acknowledgements)
        self._producer.produce(
            self._topic,
            marker.value,
            marker.key,
            marker.partition,
            headers=list(marker.headers),
            on_delivery=mark.take,
        )
        return mark


class _Receipt:
    """What a broker said to one message."""

    __slots__ = ("_acknowledgements", "error", "offset", "partition")

    def __init__(self, acknowledgements: Acknowledgements) -> None:
        self._acknowledgements = acknowledgements
        self.error: KafkaError | None = None
        self.partition = -1
        self.offset = -1

    def take(self, error: KafkaError | None, message: Message) -> None:
        self.error = error or self._acknowledgements.error(message)
        self.partition, self.offset = message.partition() or 0, message.offset() or 0
