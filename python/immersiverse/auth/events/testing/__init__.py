"""For tests: sample events, subscribers and publishers without Kafka, an embedded broker and registry.

Everything is loaded on first use; only the embedded broker and registry need the extra ``testing``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from immersiverse.auth.events.testing.broker import EmbeddedBroker as EmbeddedBroker
    from immersiverse.auth.events.testing.in_memory_kafka import FeedResult as FeedResult
    from immersiverse.auth.events.testing.published import PublishedEvents as PublishedEvents
    from immersiverse.auth.events.testing.publisher import AsyncPublisherTest as AsyncPublisherTest
    from immersiverse.auth.events.testing.publisher import PublishedMessage as PublishedMessage
    from immersiverse.auth.events.testing.publisher import PublisherTest as PublisherTest
    from immersiverse.auth.events.testing.registry import EmbeddedRegistry as EmbeddedRegistry
    from immersiverse.auth.events.testing.sampling import sample as sample
    from immersiverse.auth.events.testing.sampling import sample_event as sample_event
    from immersiverse.auth.events.testing.sampling import samples as samples
    from immersiverse.auth.events.testing.stack import EmbeddedStack as EmbeddedStack
    from immersiverse.auth.events.testing.subscriber import SubscriberTest as SubscriberTest

_EXPORTS = {
    "broker": "EmbeddedBroker",
    "published": "PublishedEvents",
    "publisher": "AsyncPublisherTest PublishedMessage PublisherTest",
    "registry": "EmbeddedRegistry",
    "sampling": "sample sample_event samples",
    "stack": "EmbeddedStack",
    "in_memory_kafka": "FeedResult",
    "subscriber": "SubscriberTest",
}
_HOME = {name: module for module, names in _EXPORTS.items() for name in names.split()}

__all__ = [*_HOME]  # noqa: PLE0604 - the names of a table, checked by a test


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
