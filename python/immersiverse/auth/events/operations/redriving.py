"""Send dead letters back, and remember each only when its topic has it."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import PublishError, UndeliveredEvents
from immersiverse.auth.events.kafka.producer.core import RawMessage
from immersiverse.auth.events.kafka.producer.reports import kafka_error_of
from immersiverse.auth.events.operations.mailbox import Mailbox
from immersiverse.auth.events.operations.markers import marker_of
from immersiverse.auth.events.operations.partitions import existing_topics
from immersiverse.auth.events.operations.redrive import Fate, redriven
from immersiverse.auth.events.operations.turn import sole_turn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.kafka.producer.core import ProducerCore
    from immersiverse.auth.events.kafka.producer.delivery import Delivery
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
    pace = _Pace(rate)
    with _courier(cluster, topic) as courier, sole_turn(cluster, topic):
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


@contextmanager
def _courier(cluster: Cluster, dead_letter_topic: str) -> Iterator[_Courier]:
    core = cluster.producer()
    try:
        yield _Courier(cluster, dead_letter_topic, core)
    finally:
        with suppress(UndeliveredEvents):  # the redrive ends early, and says why
            core.close(0)


class _Courier:
    """Delivers letters and marks those that arrived."""

    def __init__(self, cluster: Cluster, dead_letter_topic: str, core: ProducerCore) -> None:
        self._cluster = cluster
        self._topic = dead_letter_topic
        self._core = core

    def deliver(self, letters: list[DeadLetter]) -> Iterator[Outcome]:
        """Send letters, then mark those that were acknowledged."""
        messages = [redriven(letter) for letter in letters]
        sent = [self._send(RawMessage(m.topic, m.key, m.value, m.headers)) for m in messages]
        failures = [_failure(one) for one in sent]
        marks = [
            self._mark(letter, message, delivery)
            for letter, message, delivery in zip(letters, messages, sent, strict=True)
            if not isinstance(delivery, PublishError) and delivery.error is None
        ]
        for failure in map(_failure, marks):
            if failure is not None:
                purpose = f"mark letters in {self._topic} as sent back: the last ones will go once more"
                raise self._cluster.failure(purpose, kafka_error_of(failure))
        for letter, failure in zip(letters, failures, strict=True):
            yield self._outcome(letter, failure)

    def _outcome(self, letter: DeadLetter, failure: PublishError | None) -> Outcome:
        if failure is None:
            return Outcome(letter, Fate.REDRIVE)
        error = self._cluster.failure(f"send it to {letter.topic}", kafka_error_of(failure))
        if error.retryable:
            raise error  # what follows would fail alike
        return Outcome(letter, Fate.FAILED, str(error))

    def _send(self, message: RawMessage, partition: int = -1) -> Delivery | PublishError:
        try:
            return self._core.send(message, partition=partition)
        except PublishError as failure:
            return failure

    def _mark(self, letter: DeadLetter, message: Redriven, delivery: Delivery) -> Delivery | PublishError:
        marker = marker_of(
            letter, redrives=message.redrives, partition=delivery.partition, offset=delivery.offset
        )
        mark = RawMessage(self._topic, marker.key, marker.value, marker.headers)
        return self._send(mark, marker.partition)


def _failure(sent: Delivery | PublishError) -> PublishError | None:
    """Wait for the outcome of a message; why it failed, None if a broker has it."""
    if isinstance(sent, PublishError):
        return sent
    try:
        sent.result()
    except PublishError as failure:
        return failure
    return None
