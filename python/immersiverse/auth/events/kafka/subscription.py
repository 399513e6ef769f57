"""What a subscriber may read: not what it writes when it cannot process something."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

_PATTERN = "^"  # how librdkafka tells a pattern from a name


def refuse_dead_letter_topics(topics: Iterable[str], own: str) -> None:
    """Refuse a subscription that would read dead letters: each that fails would come back for ever.

    librdkafka's patterns are POSIX's or, with ``group.protocol=consumer``, the brokers'. What Python takes
    for no match and they do not is stopped when the first dead letter arrives (`DeadLetters.send`).

    Args:
        topics: names, and patterns that begin with ``^``.
        own: the topic of the subscriber's own dead letters.

    Raises:
        ConfigurationError: if one names or matches that topic, or the contract's dead letter topic.
    """
    for topic in topics:
        for dead in (own, catalog.DEAD_LETTER_TOPIC):
            if topic == dead or (topic.startswith(_PATTERN) and _matches(topic, dead)):
                raise ConfigurationError(
                    "topics",
                    f"{topic!r} reads the dead letter topic {dead}: name the topics of events, "
                    "and look at dead letters with auth-events dlq",
                )


def _matches(pattern: str, topic: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of POSIX's classes, which it takes for others
            return re.match(pattern, topic) is not None
    except re.error:  # valid elsewhere perhaps: librdkafka says so if not
        return False
