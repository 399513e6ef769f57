"""The Kafka contract of the ImmersiVerse Authentication Service: its events, and how they travel.

Everything public is here and loaded on first use, so that importing this package costs next to nothing:

    from immersiverse.auth.events import UserCreated, new_event
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.version import __version__ as __version__

if TYPE_CHECKING:
    from immersiverse.auth.events import catalog as catalog
    from immersiverse.auth.events.errors import AuthEventsError as AuthEventsError
    from immersiverse.auth.events.errors import BrokenTransaction as BrokenTransaction
    from immersiverse.auth.events.errors import BrokerUnavailable as BrokerUnavailable
    from immersiverse.auth.events.errors import CompilationTimeout as CompilationTimeout
    from immersiverse.auth.events.errors import ConfigurationError as ConfigurationError
    from immersiverse.auth.events.errors import ConsumeError as ConsumeError
    from immersiverse.auth.events.errors import DecodeError as DecodeError
    from immersiverse.auth.events.errors import InboxUnavailable as InboxUnavailable
    from immersiverse.auth.events.errors import IncompatibleSchema as IncompatibleSchema
    from immersiverse.auth.events.errors import InvalidEvent as InvalidEvent
    from immersiverse.auth.events.errors import InvalidSchema as InvalidSchema
    from immersiverse.auth.events.errors import MalformedFrame as MalformedFrame
    from immersiverse.auth.events.errors import MalformedPayload as MalformedPayload
    from immersiverse.auth.events.errors import MissingExtra as MissingExtra
    from immersiverse.auth.events.errors import OperationRefused as OperationRefused
    from immersiverse.auth.events.errors import OutboxUnavailable as OutboxUnavailable
    from immersiverse.auth.events.errors import PublishError as PublishError
    from immersiverse.auth.events.errors import PublisherUnusable as PublisherUnusable
    from immersiverse.auth.events.errors import RegistryError as RegistryError
    from immersiverse.auth.events.errors import RegistryRefused as RegistryRefused
    from immersiverse.auth.events.errors import RegistryUnavailable as RegistryUnavailable
    from immersiverse.auth.events.errors import SchemaNotRegistered as SchemaNotRegistered
    from immersiverse.auth.events.errors import SchemaRefused as SchemaRefused
    from immersiverse.auth.events.errors import SubjectCollision as SubjectCollision
    from immersiverse.auth.events.errors import UndeliveredEvents as UndeliveredEvents
    from immersiverse.auth.events.errors import UnknownFormat as UnknownFormat
    from immersiverse.auth.events.errors import UnknownSchemaId as UnknownSchemaId
    from immersiverse.auth.events.errors import WrongSchema as WrongSchema
    from immersiverse.auth.events.events import new_event as new_event
    from immersiverse.auth.events.events import partition_key as partition_key
    from immersiverse.auth.events.events import payload_of as payload_of
    from immersiverse.auth.events.inbox.interface import Admission as Admission
    from immersiverse.auth.events.inbox.interface import AsyncInbox as AsyncInbox
    from immersiverse.auth.events.inbox.interface import Forgotten as Forgotten
    from immersiverse.auth.events.inbox.interface import Inbox as Inbox
    from immersiverse.auth.events.inbox.interface import Verdict as Verdict
    from immersiverse.auth.events.inbox.memory import MemoryInbox as MemoryInbox
    from immersiverse.auth.events.inbox.redis import AsyncRedisInbox as AsyncRedisInbox
    from immersiverse.auth.events.inbox.redis import RedisInbox as RedisInbox
    from immersiverse.auth.events.inbox.sql import AsyncSqlInbox as AsyncSqlInbox
    from immersiverse.auth.events.inbox.sql import SqlInbox as SqlInbox
    from immersiverse.auth.events.inbox.sql import inbox_tables as inbox_tables
    from immersiverse.auth.events.kafka.config import Retry as Retry
    from immersiverse.auth.events.kafka.consumer.options import Policy as Policy
    from immersiverse.auth.events.kafka.consumer.records import Context as Context
    from immersiverse.auth.events.kafka.consumer.subscriber import Subscriber as Subscriber
    from immersiverse.auth.events.kafka.dead_letters import DeadLetters as DeadLetters
    from immersiverse.auth.events.kafka.producer.async_publisher import AsyncPublisher as AsyncPublisher
    from immersiverse.auth.events.kafka.producer.delivery import Delivery as Delivery
    from immersiverse.auth.events.kafka.producer.publisher import Publisher as Publisher
    from immersiverse.auth.events.observability.hooks import Committed as Committed
    from immersiverse.auth.events.observability.hooks import Consumed as Consumed
    from immersiverse.auth.events.observability.hooks import DeadLettered as DeadLettered
    from immersiverse.auth.events.observability.hooks import DecodeFailed as DecodeFailed
    from immersiverse.auth.events.observability.hooks import Detail as Detail
    from immersiverse.auth.events.observability.hooks import Dropped as Dropped
    from immersiverse.auth.events.observability.hooks import Durations as Durations
    from immersiverse.auth.events.observability.hooks import Gap as Gap
    from immersiverse.auth.events.observability.hooks import Hook as Hook
    from immersiverse.auth.events.observability.hooks import Lag as Lag
    from immersiverse.auth.events.observability.hooks import OutboxBacklog as OutboxBacklog
    from immersiverse.auth.events.observability.hooks import Published as Published
    from immersiverse.auth.events.observability.hooks import Relayed as Relayed
    from immersiverse.auth.events.observability.hooks import RetentionLoss as RetentionLoss
    from immersiverse.auth.events.observability.hooks import Retried as Retried
    from immersiverse.auth.events.observability.hooks import RowSetAside as RowSetAside
    from immersiverse.auth.events.observability.hooks import ShardsHeld as ShardsHeld
    from immersiverse.auth.events.observability.hooks import Statistics as Statistics
    from immersiverse.auth.events.observability.hooks import Stubbed as Stubbed
    from immersiverse.auth.events.observability.hooks import Unconfirmed as Unconfirmed
    from immersiverse.auth.events.observability.hooks import VersionJump as VersionJump
    from immersiverse.auth.events.observability.otel import OpenTelemetryTracer as OpenTelemetryTracer
    from immersiverse.auth.events.observability.prometheus import PrometheusHook as PrometheusHook
    from immersiverse.auth.events.observability.tracing import OutboxTracer as OutboxTracer
    from immersiverse.auth.events.observability.tracing import Tracer as Tracer
    from immersiverse.auth.events.outbox.relay import OutboxRelay as OutboxRelay
    from immersiverse.auth.events.outbox.relay import RelayPolicy as RelayPolicy
    from immersiverse.auth.events.outbox.tables import OutboxTables as OutboxTables
    from immersiverse.auth.events.outbox.writing import AsyncOutbox as AsyncOutbox
    from immersiverse.auth.events.outbox.writing import Outbox as Outbox
    from immersiverse.auth.events.partition import Partition as Partition
    from immersiverse.auth.events.registry import SchemaRegistry as SchemaRegistry
    from immersiverse.auth.events.serialization.deserializer import (
        AuthEventDeserializer as AuthEventDeserializer,
    )
    from immersiverse.auth.events.serialization.schemas import PinnedSchemas as PinnedSchemas
    from immersiverse.auth.events.serialization.serializer import AuthEventSerializer as AuthEventSerializer
    from immersiverse.auth.events.serialization.serializer import SerializedEvent as SerializedEvent
    from immersiverse.auth.events.serialization.unknown import UnknownEvent as UnknownEvent
    from immersiverse.auth.events.testing import EmbeddedBroker as EmbeddedBroker
    from immersiverse.auth.events.testing import EmbeddedRegistry as EmbeddedRegistry
    from immersiverse.auth.events.testing import EmbeddedStack as EmbeddedStack
    from immersiverse.auth.events.v1.events_pb2 import AccountLocked as AccountLocked
    from immersiverse.auth.events.v1.events_pb2 import AccountLockReason as AccountLockReason
    from immersiverse.auth.events.v1.events_pb2 import AccountStatus as AccountStatus
    from immersiverse.auth.events.v1.events_pb2 import AccountUnlocked as AccountUnlocked
    from immersiverse.auth.events.v1.events_pb2 import AccountUnlockReason as AccountUnlockReason
    from immersiverse.auth.events.v1.events_pb2 import Actor as Actor
    from immersiverse.auth.events.v1.events_pb2 import ActorKind as ActorKind
    from immersiverse.auth.events.v1.events_pb2 import AuthenticationMethod as AuthenticationMethod
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent as AuthEvent
    from immersiverse.auth.events.v1.events_pb2 import BlacklistAdded as BlacklistAdded
    from immersiverse.auth.events.v1.events_pb2 import BlacklistReason as BlacklistReason
    from immersiverse.auth.events.v1.events_pb2 import BlacklistSubjectKind as BlacklistSubjectKind
    from immersiverse.auth.events.v1.events_pb2 import BruteForceDetected as BruteForceDetected
    from immersiverse.auth.events.v1.events_pb2 import BruteForceScope as BruteForceScope
    from immersiverse.auth.events.v1.events_pb2 import ConsentGranted as ConsentGranted
    from immersiverse.auth.events.v1.events_pb2 import ConsentWithdrawn as ConsentWithdrawn
    from immersiverse.auth.events.v1.events_pb2 import DisconnectReason as DisconnectReason
    from immersiverse.auth.events.v1.events_pb2 import EmailVerified as EmailVerified
    from immersiverse.auth.events.v1.events_pb2 import LoggedOut as LoggedOut
    from immersiverse.auth.events.v1.events_pb2 import LoginFailed as LoginFailed
    from immersiverse.auth.events.v1.events_pb2 import LoginFailureReason as LoginFailureReason
    from immersiverse.auth.events.v1.events_pb2 import LoginSucceeded as LoginSucceeded
    from immersiverse.auth.events.v1.events_pb2 import LogoutReason as LogoutReason
    from immersiverse.auth.events.v1.events_pb2 import MfaEnrolled as MfaEnrolled
    from immersiverse.auth.events.v1.events_pb2 import MfaRemoved as MfaRemoved
    from immersiverse.auth.events.v1.events_pb2 import PasswordChanged as PasswordChanged
    from immersiverse.auth.events.v1.events_pb2 import PasswordChangeReason as PasswordChangeReason
    from immersiverse.auth.events.v1.events_pb2 import PasswordResetRequested as PasswordResetRequested
    from immersiverse.auth.events.v1.events_pb2 import PlatformConnected as PlatformConnected
    from immersiverse.auth.events.v1.events_pb2 import PlatformDisconnected as PlatformDisconnected
    from immersiverse.auth.events.v1.events_pb2 import SessionRevoked as SessionRevoked
    from immersiverse.auth.events.v1.events_pb2 import SuspiciousLogin as SuspiciousLogin
    from immersiverse.auth.events.v1.events_pb2 import SuspiciousSignal as SuspiciousSignal
    from immersiverse.auth.events.v1.events_pb2 import UserCreated as UserCreated
    from immersiverse.auth.events.v1.events_pb2 import UserDeleted as UserDeleted
    from immersiverse.auth.events.v1.events_pb2 import UserDeletionReason as UserDeletionReason
    from immersiverse.auth.events.v1.events_pb2 import UserUpdated as UserUpdated

_EXPORTS = {
    "errors": (
        "AuthEventsError BrokenTransaction BrokerUnavailable CompilationTimeout ConfigurationError "
        "ConsumeError DecodeError InboxUnavailable IncompatibleSchema InvalidEvent InvalidSchema "
        "MalformedFrame MalformedPayload "
        "MissingExtra OperationRefused OutboxUnavailable PublishError PublisherUnusable RegistryError "
        "RegistryRefused RegistryUnavailable SchemaNotRegistered SchemaRefused SubjectCollision "
        "UndeliveredEvents UnknownFormat UnknownSchemaId WrongSchema"
    ),
    "events": "new_event partition_key payload_of",
    "inbox.interface": "Admission AsyncInbox Forgotten Inbox Verdict",
    "inbox.memory": "MemoryInbox",
    "inbox.redis": "AsyncRedisInbox RedisInbox",
    "inbox.sql": "AsyncSqlInbox SqlInbox inbox_tables",
    "kafka.producer.async_publisher": "AsyncPublisher",
    "kafka.consumer.records": "Context",
    "kafka.dead_letters": "DeadLetters",
    "kafka.producer.delivery": "Delivery",
    "kafka.consumer.options": "Policy",
    "kafka.producer.publisher": "Publisher",
    "kafka.config": "Retry",
    "kafka.consumer.subscriber": "Subscriber",
    "observability.hooks": (
        "Committed Consumed DeadLettered DecodeFailed Detail Dropped Durations Gap Hook Lag OutboxBacklog "
        "Published Relayed RetentionLoss Retried RowSetAside ShardsHeld Statistics Stubbed Unconfirmed "
        "VersionJump"
    ),
    "observability.otel": "OpenTelemetryTracer",
    "observability.prometheus": "PrometheusHook",
    "observability.tracing": "OutboxTracer Tracer",
    "outbox.relay": "OutboxRelay RelayPolicy",
    "outbox.tables": "OutboxTables",
    "outbox.writing": "AsyncOutbox Outbox",
    "partition": "Partition",
    "registry": "SchemaRegistry",
    "serialization.deserializer": "AuthEventDeserializer",
    "serialization.schemas": "PinnedSchemas",
    "serialization.serializer": "AuthEventSerializer SerializedEvent",
    "serialization.unknown": "UnknownEvent",
    "testing": "EmbeddedBroker EmbeddedRegistry EmbeddedStack",
    "v1.events_pb2": (
        "AccountLockReason AccountLocked AccountStatus AccountUnlockReason AccountUnlocked Actor "
        "ActorKind AuthEvent AuthenticationMethod BlacklistAdded BlacklistReason BlacklistSubjectKind "
        "BruteForceDetected BruteForceScope ConsentGranted ConsentWithdrawn DisconnectReason "
        "EmailVerified LoggedOut LoginFailed LoginFailureReason LoginSucceeded LogoutReason MfaEnrolled "
        "MfaRemoved PasswordChangeReason PasswordChanged PasswordResetRequested PlatformConnected "
        "PlatformDisconnected SessionRevoked SuspiciousLogin SuspiciousSignal UserCreated UserDeleted "
        "UserDeletionReason UserUpdated"
    ),
}
_HOME = {name: module for module, names in _EXPORTS.items() for name in names.split()}

__all__ = ["__version__", "catalog", *_HOME]  # noqa: PLE0604 - the names of a table, checked by a test


def __getattr__(name: str) -> Any:
    if name == "catalog":
        return import_module(f"{__name__}.catalog")
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
