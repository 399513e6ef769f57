"""How large the batches of topics may be, as the brokers say. It blocks, in any thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from immersiverse.auth.events.kafka.config import connection_settings
from immersiverse.auth.events.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_log = get_logger(__name__)
_MAX_BYTES: Final = "max.message.bytes"
_WAIT: Final = 2.0  # seconds for the brokers
_QUIET: Final[Mapping[str, Any]] = {"log_level": 0, "error_cb": lambda _: None}  # the producer says it


def smallest_batch(settings: Mapping[str, Any], topics: Iterable[str]) -> int | None:
    """The smallest ``max.message.bytes`` of topics; None if no broker says so within two seconds.

    Brokers say it to those who have the right DESCRIBE_CONFIGS on the topic.

    Args:
        settings: a client's.
        topics: the topics.
    """
    client: AdminClient = AdminClient({**connection_settings(settings), **_QUIET})
    wanted = [ConfigResource(ResourceType.TOPIC, topic) for topic in topics]
    sizes = []
    for asked, answer in client.describe_configs(wanted, request_timeout=_WAIT).items():
        try:
            sizes.append(int(answer.result()[_MAX_BYTES].value))
        except KafkaException as error:
            _log.debug("cannot read %s of %s: %s", _MAX_BYTES, asked.name, error)
    return min(sizes, default=None)
