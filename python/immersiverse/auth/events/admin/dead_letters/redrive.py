"""Send dead letters back to their topics: the plan, which is pure, and carrying it out.

Each dead letter is marked as redriven once its topic has acknowledged it.

Holds a consumer group membership for the duration of a redrive, as a lock; see `redrive_lock`.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import KafkaError, KafkaException

from immersiverse.auth.events import catalog
from immersiverse.auth.events.admin.dead_letters.dead_letter import marker_for
from immersiverse.auth.events.admin.dead_letters.topic import DeadLetterTopic
from immersiverse.auth.events.admin.topics import existing_topics, partitions_of
from immersiverse.auth.events.errors import OperationRefused, PublishError, UndeliveredEvents
from immersiverse.auth.events.kafka.dead_letters import REDRIVES_HEADER
from immersiverse.auth.events.kafka.producer.core import RawMessage
from immersiverse.auth.events.kafka.producer.reports import kafka_error_of
from immersiverse.auth.events.kafka.record import REDRIVE_GROUP_HEADER, REDRIVE_TIMESTAMP_UNIT

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping

    from confluent_kafka import Consumer, Message

    from immersiverse.auth.events.admin.cluster import Cluster
    from immersiverse.auth.events.admin.dead_letters.dead_letter import (
        DeadLetter,
        DeadLetterFilter,
        DeadLetterId,
        Headers,
    )
    from immersiverse.auth.events.admin.dead_letters.topic import OnRead
    from immersiverse.auth.events.kafka.producer.core import ProducerCore
    from immersiverse.auth.events.kafka.producer.delivery import Delivery

CONTRACT_TOPICS: Final = frozenset((*catalog.TOPICS, catalog.SINGLE_TOPIC))
"""Topics that a redrive may write to by default: those of both routing modes."""
LOCK_GROUP: Final = "auth-events-redrive"
"""The consumer group that a redrive joins as a lock; it commits nothing."""

_INTERNAL: Final = "__"  # prefix of Kafka's internal topics
_BATCH: Final = 200
_JOIN_SECONDS: Final = 12.0  # brokers let the first member of a group wait for others, by default for 3 s
_SESSION_MS: Final = 10_000  # after which the lock of a killed redrive is free
_LOCK_SETTINGS: Final[Mapping[str, Any]] = {
    "group.id": LOCK_GROUP,
    "group.protocol": "classic",
    "partition.assignment.strategy": "range",
    "session.timeout.ms": _SESSION_MS,
    "heartbeat.interval.ms": _SESSION_MS // 4,
    "enable.partition.eof": False,
}


class RedriveStatus(StrEnum):
    """What a redrive does with one dead letter. All but `REDRIVE` stay in the dead letter topic."""

    REDRIVE = "redrive"
    """Sent back to its topic."""
    DONE = "done"
    """Sent back by an earlier redrive."""
    FILTERED = "filtered"
    """Left out by the filter; a later redrive may send it."""
    MAX_REDRIVES = "max-redrives"
    """Sent back so often that another time is unlikely to help."""
    NO_ORIGIN_TOPIC = "no-origin-topic"
    """No header names a topic that exists and that a redrive may write to."""
    NO_GROUP = "no-group"
    """No header names the consumer group that could not process it."""
    STUB = "stub"
    """Its value was too large for the dead letter topic; the original is in its topic."""
    FAILED = "failed"
    """Refused by its topic; a later redrive may send it."""


@dataclass(frozen=True, slots=True)
class RedrivePlan:
    """Which dead letters to send back.

    Attributes:
        wanted: the filter.
        max_redrives: how often a dead letter may be sent back in all.
        allowed_topics: topics that a redrive may write to besides the contract's. Where a dead letter came
            from is what its header says, and any client that may write to the dead letter topic can set it.
        all_groups: whether every consumer group gets it, and not the one alone that could not process it.
    """

    wanted: DeadLetterFilter
    max_redrives: int = 3
    allowed_topics: tuple[str, ...] = ()
    all_groups: bool = False

    def decide(
        self, dead_letter: DeadLetter, done: Container[DeadLetterId], topics: Container[str]
    ) -> tuple[RedriveStatus, str]:
        """What to do with a dead letter, and why, if it is a stub or has no topic or group to go to.

        ``done`` are those that were redriven, ``topics`` those that exist, without the dead letter topic.
        """
        if dead_letter.id in done:
            return RedriveStatus.DONE, ""
        if not self.wanted.accepts(dead_letter):
            return RedriveStatus.FILTERED, ""
        if dead_letter.is_stub:
            return RedriveStatus.STUB, (
                f"only a stub is here: its value of {dead_letter.original_size} bytes was too large; "
                f"the original is {dead_letter.origin}, until that topic's retention ends"
            )
        if reason := self._why_not_to(dead_letter.topic, topics):
            return RedriveStatus.NO_ORIGIN_TOPIC, reason
        if not (dead_letter.group or self.all_groups):
            reason = "no header names its consumer group; to send it to every group: --all-groups"
            return RedriveStatus.NO_GROUP, reason
        too_often = dead_letter.redrives >= self.max_redrives
        return RedriveStatus.MAX_REDRIVES if too_often else RedriveStatus.REDRIVE, ""

    def _why_not_to(self, topic: str, topics: Container[str]) -> str:
        if not topic:
            return "no header names the topic that it came from"
        if topic.startswith(_INTERNAL):
            return f"{topic} is one of Kafka's internal topics"
        if topic not in CONTRACT_TOPICS and topic not in self.allowed_topics:
            return f"{topic} is not a topic of the contract; to send it there: --allow-topic {topic}"
        return "" if topic in topics else f"{topic} does not exist, or is the dead letter topic"


def redrive_headers(dead_letter: DeadLetter, *, all_groups: bool = False) -> Headers:
    """The headers that a dead letter is sent with: the original ones, the count of redrives, its group."""
    count = REDRIVES_HEADER, str(dead_letter.redrives + 1).encode()
    group = () if all_groups else ((REDRIVE_GROUP_HEADER, dead_letter.group.encode()),)
    return (*dead_letter.original_headers, count, *group)


@dataclass(frozen=True, slots=True)
class RedriveResult:
    """What was done with one dead letter; `reason` is empty where the status says it all."""

    dead_letter: DeadLetter
    status: RedriveStatus
    reason: str = ""


@dataclass(slots=True)
class RedriveCounts:
    """Counts of results: all by status, and those that are sent by topic and by the group that failed."""

    statuses: Counter[RedriveStatus] = field(default_factory=Counter)
    topics: Counter[str] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)

    def add(self, result: RedriveResult) -> None:
        """Count one result."""
        self.statuses[result.status] += 1
        if result.status is RedriveStatus.REDRIVE:
            self.topics[result.dead_letter.topic] += 1
            self.groups[result.dead_letter.group] += 1


def preview(
    cluster: Cluster, topic: str, plan: RedrivePlan, *, on_read: OnRead | None = None
) -> Iterator[RedriveResult]:
    """What a redrive of a dead letter topic would do with each dead letter; nothing is sent.

    Those from before the filter's ``since`` are not even read. ``on_read`` is called now and then with the
    number of messages read, and of all; they are read twice.
    """
    topics = existing_topics(cluster).keys() - {topic}
    source = DeadLetterTopic(cluster, topic, since=plan.wanted.since, on_read=on_read)
    done = source.redriven()
    for dead_letter in source.dead_letters():
        yield RedriveResult(dead_letter, *plan.decide(dead_letter, done, topics))


def redrive(
    cluster: Cluster,
    topic: str,
    plan: RedrivePlan,
    *,
    rate_limit: RateLimit | None = None,
    on_read: OnRead | None = None,
) -> Iterator[RedriveResult]:
    """Send dead letters back; each result comes when it is final.

    A dead letter is marked as redriven after its topic has acknowledged it. If the redrive is interrupted in
    between, the next one sends it once more, with the same event id.

    Arguments are those of `preview`.
    """
    limit = rate_limit or RateLimit(None)
    with redrive_lock(cluster, topic), _producer(cluster) as core:
        results = preview(cluster, topic, plan, on_read=on_read)
        while batch := tuple(islice(results, limit.batch)):
            wanted = [result.dead_letter for result in batch if result.status is RedriveStatus.REDRIVE]
            limit.wait(len(wanted))
            yield from (result for result in batch if result.status is not RedriveStatus.REDRIVE)
            yield from _send_batch(cluster, topic, core, wanted, all_groups=plan.all_groups)


@contextmanager
def _producer(cluster: Cluster) -> Iterator[ProducerCore]:
    core = cluster.producer()
    try:
        yield core
    finally:
        with suppress(UndeliveredEvents):  # the redrive ends early, and raises why
            core.close(0)


class RateLimit:
    """Spaces out messages.

    Args:
        rate: messages per second at most; None for no limit.
        clock: seconds of a clock that only goes forward.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        rate: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.batch = _BATCH if rate is None else max(1, min(_BATCH, int(rate / 10)))
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._due = clock()

    def wait(self, messages: int) -> None:
        """Return when so many more messages may be sent."""
        if self._rate is None or not messages:
            return
        now = self._clock()
        if self._due > now:
            self._sleep(self._due - now)
        self._due = max(self._due, now) + messages / self._rate


@contextmanager
def redrive_lock(cluster: Cluster, topic: str) -> Iterator[None]:
    """Allow one redrive of a topic at a time: the holder is assigned the topic's first partition.

    The holder does not poll, so it never rejoins the group; another redrive is assigned nothing, and refused.
    """
    partitions_of(cluster, (topic,))  # fails if no broker responds, which must not look like a held lock
    consumer = cluster.reader(_LOCK_SETTINGS)
    held: list[int] = []

    def on_assign(consumer: Consumer, assigned: list[Any]) -> None:
        held.extend(partition.partition for partition in assigned)
        consumer.pause(assigned)

    try:
        consumer.subscribe([topic], on_assign=on_assign)
        deadline = time.monotonic() + _JOIN_SECONDS
        while not held and time.monotonic() < deadline:
            _raise_if_unauthorized(cluster, consumer.poll(0.1))
        if 0 not in held:
            raise OperationRefused(
                "NON_EMPTY_GROUP",
                f"another redrive of {topic} is running, or was killed less than {_SESSION_MS // 1000} s ago",
            )
        yield
    except KafkaException as error:
        raise cluster.error_for(f"redrive {topic}", error.args[0]) from error
    finally:
        consumer.close()


def _raise_if_unauthorized(cluster: Cluster, message: Message | None) -> None:
    error = message.error() if message is not None else None
    if error is not None and error.code() in (
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
    ):
        raise cluster.error_for(f"join the consumer group {LOCK_GROUP}", error)


def _send_batch(
    cluster: Cluster, topic: str, core: ProducerCore, dead_letters: list[DeadLetter], *, all_groups: bool
) -> Iterator[RedriveResult]:
    """Send dead letters and wait, then mark those that were acknowledged and wait."""
    sent = [_queued(core, _original(each, all_groups=all_groups)) for each in dead_letters]
    failures = [_failure(delivery) for delivery in sent]
    marks = [
        _queued(core, _marker(topic, dead_letter, delivery), dead_letter.id.partition)
        for dead_letter, delivery in zip(dead_letters, sent, strict=True)
        if not isinstance(delivery, PublishError) and delivery.error is None
    ]
    for failure in map(_failure, marks):
        if failure is not None:
            purpose = f"mark dead letters in {topic} as redriven, so the last ones will be sent again"
            raise cluster.error_for(purpose, kafka_error_of(failure))
    for dead_letter, failure in zip(dead_letters, failures, strict=True):
        yield _result(cluster, dead_letter, failure)


def _original(dead_letter: DeadLetter, *, all_groups: bool) -> RawMessage:
    headers = redrive_headers(dead_letter, all_groups=all_groups)
    now = int(time.time() * 1_000)
    timestamp = now - now % REDRIVE_TIMESTAMP_UNIT
    return RawMessage(dead_letter.topic, dead_letter.key, dead_letter.value, headers, timestamp)


def _marker(topic: str, dead_letter: DeadLetter, sent: Delivery) -> RawMessage:
    return RawMessage(topic, *marker_for(dead_letter, partition=sent.partition, offset=sent.offset))


def _queued(core: ProducerCore, message: RawMessage, partition: int = -1) -> Delivery | PublishError:
    try:
        return core.send(message, partition=partition)
    except PublishError as failure:
        return failure


def _failure(sent: Delivery | PublishError) -> PublishError | None:
    """Wait for the outcome of a message; why it failed, None if a broker has it."""
    if isinstance(sent, PublishError):
        return sent
    try:
        sent.result()
    except PublishError as failure:
        return failure
    return None


def _result(cluster: Cluster, dead_letter: DeadLetter, failure: PublishError | None) -> RedriveResult:
    if failure is None:
        return RedriveResult(dead_letter, RedriveStatus.REDRIVE)
    error = cluster.error_for(f"send it to {dead_letter.topic}", kafka_error_of(failure))
    if error.retryable:
        raise error  # all that follow would fail too
    return RedriveResult(dead_letter, RedriveStatus.FAILED, str(error))
