"""A Schema Registry in the process, spoken to by Confluent's own clients and by ours."""

from __future__ import annotations

from immersiverse.auth.events.embedded.registry.embedded import EmbeddedRegistry, serve

__all__ = ["EmbeddedRegistry", "serve"]
