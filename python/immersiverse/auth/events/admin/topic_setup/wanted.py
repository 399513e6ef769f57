"""What each topic of the contract is to be like: the defaults, and over them an operator's YAML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events import catalog
from immersiverse.auth.events.admin.topics import did_you_mean
from immersiverse.auth.events.errors import ConfigurationError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DAY: Final = 86_400_000
"""Milliseconds of a day."""
DEAD_LETTER_ROOM: Final = 24_576
"""Bytes that a dead letter may be larger than its message, for the headers that say why."""
LEAST_RETENTION_DAYS: Final = 7
CONFIG_KEYS: Final = (
    "cleanup.policy",
    "compression.type",
    "max.message.bytes",
    "min.insync.replicas",
    "retention.bytes",
    "retention.ms",
)
"""Kafka's topic settings that are compared and changed; others are left alone."""

_SHARED: Final[Mapping[str, Any]] = {"partitions": 12, "replication": 3}
_EVENTS: Final[Mapping[str, Any]] = {
    "retention.days": 14,
    "compression.type": "producer",
    "max.message.bytes": 1_048_588,  # Kafka's default
}
_DEAD_LETTERS: Final[Mapping[str, Any]] = {"retention.days": 30, "compression.type": "producer"}
_NAMES: Final = (*_SHARED, "min.insync.replicas", *_EVENTS)
_COMPRESSIONS: Final = ("producer", "uncompressed", "gzip", "snappy", "lz4", "zstd")
_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "partitions": (1, 100_000),
    "replication": (1, 1_000),
    "min.insync.replicas": (1, 1_000),
    "retention.days": (LEAST_RETENTION_DAYS, 36_500),
    "max.message.bytes": (32_768, 1_000_000_000),
}


@dataclass(frozen=True, slots=True)
class TopicState:
    """What a topic is like, or is to be like.

    Attributes:
        partitions: how many it has.
        replication: how many replicas each of them has.
        config: the values of `CONFIG_KEYS`, as Kafka writes them.
    """

    partitions: int
    replication: int
    config: Mapping[str, str]

    @property
    def message_limit(self) -> int:
        """How large a batch of messages may be, in bytes."""
        return int(self.config["max.message.bytes"])

    @property
    def retention_ms(self) -> float:
        """How long it keeps messages, in milliseconds; infinite if age does not delete them."""
        value = int(self.config["retention.ms"])
        return float(value) if value >= 0 and "delete" in self.config["cleanup.policy"] else float("inf")


def contract_topics(*, single_topic: bool) -> tuple[str, ...]:
    """The contract's topics in one routing mode, the dead letter topic last."""
    events = (catalog.SINGLE_TOPIC,) if single_topic else catalog.TOPICS
    return (*events, catalog.DEAD_LETTER_TOPIC)


def read_settings(file: Path) -> Any:
    """The document in an operator's YAML file.

    Raises:
        ConfigurationError: if it cannot be read, or is not YAML.
        MissingExtra: if PyYAML is not installed.
    """
    try:
        import yaml  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra("yaml", "reading YAML") from error
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(str(file), f"cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(str(file), f"is not valid YAML: {error}") from error


def wanted_topics(document: Any = None, *, single_topic: bool = False) -> dict[str, TopicState]:
    """What each topic is to be like, the dead letter topic last.

    Args:
        document: the YAML: ``defaults`` for all topics, and ``topics`` with a section for one each. Of the
            defaults, the dead letter topic takes partitions, replication and ``min.insync.replicas`` only.
        single_topic: whether all events travel on one topic.

    Raises:
        ConfigurationError: if a setting is unknown, or out of range, or loses events.
    """
    sections = _mapping(document, "the file")
    _known(sections, ("defaults", "topics"), "the file")
    defaults = _settings(sections.get("defaults"), "defaults")
    own = _mapping(sections.get("topics"), "topics")
    _known(own, {*contract_topics(single_topic=False), *contract_topics(single_topic=True)}, "topics")
    *events, dead_letters = contract_topics(single_topic=single_topic)
    wanted = {
        topic: _state({**_SHARED, **_EVENTS, **defaults, **_settings(own.get(topic), topic)})
        for topic in events
    }
    shared = {name: value for name, value in defaults.items() if name not in _EVENTS}
    room = {"max.message.bytes": least_dead_letter_limit(wanted)}
    given = _settings(own.get(dead_letters), dead_letters)
    wanted[dead_letters] = _state({**_SHARED, **_DEAD_LETTERS, **room, **shared, **given})
    require_safe(wanted)
    return wanted


def least_dead_letter_limit(topics: Mapping[str, TopicState]) -> int:
    """The least ``max.message.bytes`` of the dead letter topic, for the dead letters of these topics."""
    limits = (topic.message_limit for name, topic in topics.items() if name != catalog.DEAD_LETTER_TOPIC)
    return max(limits, default=0) + DEAD_LETTER_ROOM


def require_safe(wanted: Mapping[str, TopicState]) -> None:
    """Refuse what would lose events or dead letters, wherever it was read from.

    Raises:
        ConfigurationError: with the topic, and what is wrong.
    """
    for name, topic in wanted.items():
        if int(topic.config["min.insync.replicas"]) > topic.replication:
            raise ConfigurationError(
                name, "min.insync.replicas is more than replication: no event would be acknowledged"
            )
        if topic.retention_ms < LEAST_RETENTION_DAYS * DAY:
            raise ConfigurationError(name, f"retention is less than {LEAST_RETENTION_DAYS} days")
        if topic.config["cleanup.policy"] != "delete":
            raise ConfigurationError(name, "cleanup.policy must be delete: compaction loses events")
    dead_letters = wanted.get(catalog.DEAD_LETTER_TOPIC)
    if dead_letters is None:
        return
    if dead_letters.message_limit < (least := least_dead_letter_limit(wanted)):
        raise ConfigurationError(
            catalog.DEAD_LETTER_TOPIC,
            f"max.message.bytes must be at least {least}: the largest of the events' topics, and "
            f"{DEAD_LETTER_ROOM} for the headers of a dead letter",
        )
    if dead_letters.config["compression.type"] not in ("producer", "zstd"):
        raise ConfigurationError(
            catalog.DEAD_LETTER_TOPIC,
            "compression.type must be producer or zstd: compressed by less, a large dead letter does not fit",
        )


def _state(settings: Mapping[str, Any]) -> TopicState:
    replication = settings["replication"]
    config = {
        "cleanup.policy": "delete",
        "compression.type": settings["compression.type"],
        "max.message.bytes": str(settings["max.message.bytes"]),
        "min.insync.replicas": str(settings.get("min.insync.replicas", max(1, replication - 1))),
        "retention.bytes": "-1",  # a limit of size would delete events before their time
        "retention.ms": str(settings["retention.days"] * DAY),
    }
    return TopicState(settings["partitions"], replication, config)


def _settings(found: Any, where: str) -> dict[str, Any]:
    settings = _mapping(found, where)
    _known(settings, _NAMES, where)
    for name, value in settings.items():
        if name == "compression.type":
            if value not in _COMPRESSIONS:
                raise ConfigurationError(name, f"must be one of {', '.join(_COMPRESSIONS)} (in {where})")
            continue
        least, most = _RANGES[name]
        if type(value) is not int or not least <= value <= most:
            raise ConfigurationError(name, f"must be a whole number from {least} to {most} (in {where})")
    return settings


def _mapping(found: Any, where: str) -> dict[Any, Any]:
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ConfigurationError(where, "must be a mapping")
    return found


def _known(given: Mapping[Any, Any], known: Any, where: str) -> None:
    for name in given:
        if name not in known:
            hint = did_you_mean(str(name), known)
            raise ConfigurationError(str(name), f"is unknown in {where}{hint}")
