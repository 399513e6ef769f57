"""A Schema Registry in this process, for development and tests; Confluent's clients and ours can use it."""

from __future__ import annotations

from immersiverse.auth.events.testing.registry.server import EmbeddedRegistry

__all__ = ["EmbeddedRegistry"]
