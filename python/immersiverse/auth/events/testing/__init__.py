"""A Kafka broker and a Schema Registry in this process: for tests, development and demos."""

from __future__ import annotations

from immersiverse.auth.events.testing.broker import EmbeddedBroker
from immersiverse.auth.events.testing.registry import EmbeddedRegistry
from immersiverse.auth.events.testing.stack import EmbeddedStack

__all__ = ["EmbeddedBroker", "EmbeddedRegistry", "EmbeddedStack"]
