"""How a subscriber behaves, and what it may read."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.kafka.config import Retry, require_one_of, require_positive

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

AfterFailure = Literal["hold-back", "let-pass"]
"""What happens to later events of a key whose event has failed."""

UnknownPolicy = Literal["skip", "dead-letter"]
"""What happens to events whose type the contract does not know, unless a handler takes them."""

_PATTERN = "^"  # with which a pattern begins (librdkafka)
_POSIX_CLASSES: Final = {  # as far as a topic's name has such characters
    "[:alpha:]": "A-Za-z", "[:lower:]": "a-z", "[:upper:]": "A-Z", "[:digit:]": "0-9",
    "[:alnum:]": "A-Za-z0-9", "[:punct:]": "._\\-",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Policy:
    """How a subscriber behaves.

    Attributes:
        concurrency: how many events may be handled at the same time, each of another key.
        retry: how often and how soon a failed handler is tried again.
        after_failure: ``hold-back`` keeps later events of the same key waiting until the failed one is
            handled or dead-lettered; ``let-pass`` handles them meanwhile.
        fatal: errors that stop the subscriber, with the event's offset uncommitted.
        unknown: what happens to events of types that the contract does not know, unless ``on_unknown`` takes
            them.
        commit_interval: seconds between commits.
        drain: seconds that running handlers get when a partition is revoked or the subscriber stops; at most
            half of ``max.poll.interval.ms``. A subscriber that stops has five seconds more for its last
            commit.
        backlog: how many messages may be in flight in memory. A partition of which a tenth of that waits
            behind events that fail or take long is paused; what it holds is counted apart, up to as many
            again.

    Raises:
        ConfigurationError: if a number is out of range, or a word is not one of those.
    """

    concurrency: int = 1
    retry: Retry = field(default_factory=Retry)
    after_failure: AfterFailure = "hold-back"
    fatal: tuple[type[BaseException], ...] = ()
    unknown: UnknownPolicy = "skip"
    commit_interval: float = 1.0
    drain: float = 30.0
    backlog: int = 5_000

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise ConfigurationError("policy.concurrency", f"must be 1 or more, not {self.concurrency}")
        if self.drain < 0:
            raise ConfigurationError("policy.drain", f"must be 0 or more, not {self.drain}")
        require_one_of("policy.after_failure", self.after_failure, AfterFailure)
        require_one_of("policy.unknown", self.unknown, UnknownPolicy)
        require_positive(**{
            "policy.commit_interval": self.commit_interval, "policy.backlog": self.backlog,
        })  # fmt: skip


def refuse_dead_letter_topics(topics: Iterable[str], own: str) -> None:
    """Refuse a subscription that would read dead letters: each that fails would be read again without end.

    librdkafka's patterns are POSIX's or, with ``group.protocol=consumer``, the brokers'. A pattern that
    matches there and not in Python is stopped by the first dead letter that fails again
    (`DeadLetters.send`).

    Args:
        topics: names, and patterns that begin with ``^``.
        own: the topic of the subscriber's own dead letters.

    Raises:
        ConfigurationError: if one names or matches that topic, or the contract's dead letter topic.
    """
    for topic in topics:
        for dead in (own, catalog.DEAD_LETTER_TOPIC):
            if reads((topic,), dead):
                raise ConfigurationError(
                    "topics",
                    f"{topic!r} reads the dead letter topic {dead}: name the topics of events, "
                    "and look at dead letters with auth-events dlq",
                )


def reads(topics: Iterable[str], topic: str) -> bool:
    """Whether a subscription to names and patterns reads a topic."""
    return any(each == topic or (each.startswith(_PATTERN) and _matches(each, topic)) for each in topics)


def refuse_handlers_without_topic(topics: Sequence[str], handled: Iterable[str]) -> None:
    """Refuse handlers that would never be called, since their topic is not read.

    A pattern, or a topic that is not one of the contract's (such as the single topic), may hold any event.

    Args:
        topics: what is read.
        handled: the payload fields of the envelope that have a handler of their own.

    Raises:
        ConfigurationError: if only topics of the contract are read, and a handler's is not among them.
    """
    if not set(topics) <= set(catalog.TOPICS):
        return
    for event_type in (catalog.BY_PAYLOAD_FIELD[payload_field] for payload_field in handled):
        if event_type.topic not in topics:
            raise ConfigurationError(
                "topics",
                f"the handler of {event_type.name} would never be called: add its topic {event_type.topic}",
            )


def _matches(pattern: str, topic: str) -> bool:
    for name, characters in _POSIX_CLASSES.items():
        pattern = pattern.replace(name, characters)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of nested sets, which POSIX does not have
            return re.match(pattern, topic) is not None
    except re.error:  # perhaps valid elsewhere: librdkafka raises if it is not
        return False
