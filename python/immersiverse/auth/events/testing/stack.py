"""Broker and registry together, with the contract registered: what producers and consumers need."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from immersiverse.auth.events import catalog
from immersiverse.auth.events.registry import SchemaRegistry
from immersiverse.auth.events.testing.broker import EmbeddedAddress, EmbeddedBroker
from immersiverse.auth.events.testing.registry import EmbeddedRegistry


class EmbeddedStack:
    """A broker and a registry in this process that have the contract; a context manager.

    Args:
        brokers: the number of brokers.
        registry_port: the port of the registry; 0 for a free one.
    """

    def __init__(self, *, brokers: int = 1, registry_port: int = 0) -> None:
        self._broker = EmbeddedBroker(brokers)
        self._registry = EmbeddedRegistry(port=registry_port)
        self._running = ExitStack()

    @property
    def bootstrap(self) -> EmbeddedAddress:
        """The broker's address, once started."""
        return self._broker.bootstrap

    @property
    def registry_url(self) -> str:
        """The registry's address, once started."""
        return self._registry.url

    def start(self) -> Self:
        """Start both, and register the contract: as Protobuf for every topic, and as Avro.

        Raises:
            BrokerUnavailable: the broker does not start.
            RegistryUnavailable: the registry's port cannot be listened on.
        """
        with ExitStack() as starting:
            starting.enter_context(self._registry)
            starting.enter_context(self._broker)
            with SchemaRegistry(self.registry_url) as registry:
                register_contract(registry)
            self._running = starting.pop_all()
        return self

    def stop(self) -> None:
        """Stop both."""
        self._running.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def register_contract(registry: SchemaRegistry) -> None:
    """Register the contract: as Protobuf for every topic, and as Avro."""
    for topic in (*catalog.TOPICS, catalog.SINGLE_TOPIC):
        registry.register(topic)
    registry.register(catalog.SINGLE_TOPIC, "AVRO")
