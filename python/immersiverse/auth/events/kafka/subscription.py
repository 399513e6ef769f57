"""What a subscriber may read: not what it writes when it cannot process something."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Final

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

_PATTERN = "^"  # how librdkafka tells a pattern from a name
_CLASSES: Final = {  # POSIX's, as far as a topic's name has such characters
    "[:alpha:]": "A-Za-z", "[:lower:]": "a-z", "[:upper:]": "A-Z", "[:digit:]": "0-9",
    "[:alnum:]": "A-Za-z0-9", "[:punct:]": "._\\-",
}  # fmt: skip


def refuse_dead_letter_topics(topics: Iterable[str], own: str) -> None:
    """Refuse a subscription that would read dead letters: each that fails would come back for ever.

    librdkafka's patterns are POSIX's or, with ``group.protocol=consumer``, the brokers'. What Python takes
    for no match and they do not is stopped by the first dead letter that fails again (`DeadLetters.send`).

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
    for name, characters in _CLASSES.items():
        pattern = pattern.replace(name, characters)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of sets in sets, which POSIX does not have
            return re.match(pattern, topic) is not None
    except re.error:  # valid elsewhere perhaps: librdkafka says so if not
        return False
