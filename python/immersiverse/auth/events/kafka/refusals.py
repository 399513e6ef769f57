"""librdkafka's refusals of settings, as errors that name the setting."""

from __future__ import annotations

import re
from typing import Final

from confluent_kafka import KafkaException

from immersiverse.auth.events.errors import ConfigurationError

# How messages name a setting: property "acks", value for "acks", `session.timeout.ms`, error_cb, or bare.
_NAMED: Final = (
    r"(?:property|for) \"([\w.]+)\"",
    r"`([\w.]+)`",
    r"\b([a-z]+_cb)\b",
    r"\b([a-z]+(?:\.[a-z]+)+)\b",
)


def refused_setting(client: str, error: Exception) -> ConfigurationError:
    """What a client's constructor raised, with the setting's name as its key.

    Args:
        client: ``producer`` or ``consumer``: the key if the message names no setting.
        error: what it raised.
    """
    reason = error.args[0].str() if isinstance(error, KafkaException) else str(error)
    names = (re.search(pattern, reason) for pattern in _NAMED)
    named = next((found[1] for found in names if found), client)
    return ConfigurationError(named, reason)
