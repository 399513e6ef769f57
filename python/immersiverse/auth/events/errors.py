"""Every error this package raises, and whose fault it is: ours, the sender's, or that of a service.

AuthEventsError
├── InvalidEvent              ours: the event breaks the contract; it was not sent
├── DecodeError               the sender's: these bytes cannot be read, now or later
│   ├── MalformedFrame        the framing around the payload is truncated or invalid
│   ├── MalformedPayload      the payload is not what its format or the contract says
│   ├── UnknownFormat         the first byte is not that of a format we read
│   ├── UnknownSchemaId       the registry does not have this schema id
│   └── WrongSchema           the id belongs to another message, or the index points to one
├── RegistryError             the Schema Registry did not do what was asked
│   ├── RegistryUnavailable   it cannot be reached; try again
│   ├── RegistryRefused       it refused: credentials, modes, invalid schemas
│   │   └── SchemaRefused     it refuses one schema, while it answers for others
│   ├── SchemaNotRegistered   a deployment step is missing; the message names the command
│   ├── IncompatibleSchema    the subject's compatibility level forbids this schema
│   └── SubjectCollision      the subject holds another schema type
├── PublishError              the broker did not take an event
├── UndeliveredEvents         a flush or close ended with unacknowledged events
├── ConsumeError              a subscriber cannot continue: rights, credentials, a fatal state
├── PublisherUnusable         closed, or carried over a fork, or used from another event loop
├── ConfigurationError        a setting is missing, unknown, or breaks a guarantee; the message names it
├── BrokerUnavailable         Kafka cannot be reached, or did not answer in time; try again
├── InboxUnavailable          the inbox cannot check now whether an event was handled; try again
├── OutboxUnavailable         the outbox's database does not answer, or refuses; try again
├── BrokenTransaction         a handler left the inbox's transaction aborted or ended; nothing was committed
├── OperationRefused          an operation is forbidden: rights, unknown or live groups
├── InvalidSchema             a .proto text or descriptor that cannot be understood
│   └── CompilationTimeout    protoc did not finish in time; try again
└── MissingExtra              an optional dependency is not installed; the message names it
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from immersiverse.auth.events.printable import capped

if TYPE_CHECKING:
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent


class AuthEventsError(Exception):
    """The root of the tree: catch it to catch everything this package raises.

    Attributes:
        retryable: whether the same call may succeed later without any change.
    """

    retryable: ClassVar[bool] = False


class InvalidEvent(AuthEventsError):
    """An event breaks the contract, so it was not made or not serialized.

    Attributes:
        event_type: short name of the event or message, such as ``UserCreated``.
        field: path of the offending field in its .proto spelling, such as ``user_id``; empty for the whole.
        rule: the rule that it breaks, as text.
    """

    def __init__(self, event_type: str, field: str, rule: str) -> None:
        self.event_type = event_type
        self.field = field
        self.rule = rule
        super().__init__(capped(f"{event_type}.{field}: {rule}" if field else f"{event_type}: {rule}"))


class DecodeError(AuthEventsError):
    """Bytes from elsewhere cannot be read; reading them again will not help.

    Its text quotes no value of a payload, and long texts are cut.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(capped(text))


class MalformedFrame(DecodeError):
    """The framing (magic byte, schema id, message indexes) is truncated, over-long or invalid."""


class MalformedPayload(DecodeError):
    """The payload is not valid in its format, or lacks what every event has.

    Attributes:
        reason: what is wrong with it.
        field: path of the offending field as it was written, such as ``payload.createdAt``; empty if unknown.
    """

    def __init__(self, reason: str, field: str = "") -> None:
        self.reason = reason
        self.field = field
        super().__init__(f"{field}: {reason}" if field else reason)


class UnknownFormat(DecodeError):
    """The value does not begin like a format that is read here (framed, JSON)."""


class UnknownSchemaId(DecodeError):
    """The registry holds no schema under the id in the frame.

    Attributes:
        schema_id: the number from the frame, or the GUID from the header as text.
    """

    def __init__(self, schema_id: int | str) -> None:
        self.schema_id = schema_id
        super().__init__(f"the registry has no schema with id {schema_id}")


class WrongSchema(DecodeError):
    """The writer's schema is not the contract's envelope: another message, or another index in the file.

    Attributes:
        schema_id: the number from the frame, or the GUID from the header as text.
        found: what the id and index lead to.
    """

    def __init__(self, schema_id: int | str, found: str) -> None:
        self.schema_id = schema_id
        self.found = found
        super().__init__(f"schema id {schema_id} leads to {found}, not to an authentication event")


class RegistryError(AuthEventsError):
    """The Schema Registry did not do what was asked."""


class RegistryUnavailable(RegistryError):
    """The registry cannot be reached, or answers with a server error; the same call may succeed later."""

    retryable = True


class RegistryRefused(RegistryError):
    """The registry refused a request.

    Attributes:
        status: the HTTP status; 0 if it was not asked.
        error_code: Confluent's error code, or -1.
    """

    def __init__(self, message: str, status: int, error_code: int = -1) -> None:
        self.status = status
        self.error_code = error_code
        super().__init__(f"{message} (HTTP {status}, code {error_code})" if status else message)


class SchemaRefused(RegistryRefused):
    """The registry refuses one schema id, or answers in a wrong shape for it, while it answers for another.

    Attributes:
        schema_id: the number from the frame, or the GUID from the header as text.
    """

    def __init__(self, schema_id: int | str, refusal: RegistryRefused) -> None:
        self.schema_id = schema_id
        super().__init__(f"schema id {schema_id}: {refusal}", 0)
        self.status, self.error_code = refusal.status, refusal.error_code


class SchemaNotRegistered(RegistryError):
    """The subject, or this schema under it, does not exist yet.

    Attributes:
        subject: the subject that was asked.
    """

    def __init__(self, subject: str, remedy: str = "auth-events schema register --registry URL") -> None:
        self.subject = subject
        super().__init__(
            f"the contract's schema is not registered under {subject!r}; register it with: {remedy}"
        )


class IncompatibleSchema(RegistryError):
    """The subject's compatibility level forbids this schema.

    Attributes:
        subject: the subject that was asked.
        reasons: the registry's own text.
    """

    def __init__(self, subject: str, reasons: str) -> None:
        self.subject = subject
        self.reasons = reasons
        super().__init__(f"the registry refuses this schema under {subject!r}: {reasons}")


class SubjectCollision(RegistryError):
    """The subject already holds schemas of another type; nothing was written.

    Attributes:
        subject: the subject.
        holds: the schema type it holds.
        wanted: the schema type that was to be registered.
    """

    def __init__(self, subject: str, *, holds: str, wanted: str) -> None:
        self.subject = subject
        self.holds = holds
        self.wanted = wanted
        super().__init__(
            f"subject {subject!r} holds {holds} schemas, so {wanted} cannot be registered there; "
            "choose another subject name strategy"
        )


class PublishError(AuthEventsError):
    """The broker did not take an event.

    Attributes:
        event: the event.
        topic: the topic it was sent to.
        code: librdkafka's name of the reason, such as ``_MSG_TIMED_OUT``; its text says more, such as why the
            brokers cannot be reached.
        retryable: whether publishing the same event again may succeed.
    """

    def __init__(self, event: AuthEvent, topic: str, code: str, reason: str, *, retryable: bool) -> None:
        self.event = event
        self.topic = topic
        self.code = code
        self.retryable = retryable  # type: ignore[misc]  # known only case by case
        what = f"event {event.event_id}" if event.event_id else "a message"
        super().__init__(f"{what} did not reach {topic}: {reason} ({code})")


class UndeliveredEvents(AuthEventsError):
    """A flush or close ended with events that no broker acknowledged, or with failures that nothing observed.

    Attributes:
        failed: the failures that nothing observed; the last hundred if there are more.
        failed_count: how many there are.
        pending: the events whose outcome is not known: they may still have arrived.
    """

    retryable = True

    def __init__(
        self,
        failed: tuple[PublishError, ...],
        pending: tuple[AuthEvent, ...],
        *,
        failed_count: int | None = None,
    ) -> None:
        self.failed = failed
        self.failed_count = count = len(failed) if failed_count is None else failed_count
        self.pending = pending
        ids = [error.event.event_id for error in failed] + [event.event_id for event in pending]
        shown = ", ".join(ids[:10]) + (", ..." if len(ids) > 10 else "")  # noqa: PLR2004 - a line's worth
        super().__init__(
            f"of the events published, {count} failed and {len(pending)} are unacknowledged: {shown}"
        )


class ConsumeError(AuthEventsError):
    """A subscriber cannot continue until something is changed: rights, credentials, configuration.

    Attributes:
        code: librdkafka's name of the reason, such as ``TOPIC_AUTHORIZATION_FAILED``.
    """

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        super().__init__(f"{reason} ({code})")


class PublisherUnusable(AuthEventsError):
    """The publisher is closed, was made before a fork, or belongs to another event loop."""


class ConfigurationError(AuthEventsError):
    """A setting is missing, unknown, or breaks a guarantee.

    Attributes:
        key: the setting's name.
    """

    def __init__(self, key: str, reason: str) -> None:
        self.key = key
        super().__init__(f"{key}: {reason}")


class BrokerUnavailable(AuthEventsError):
    """Kafka cannot be reached, or did not answer in time; the same call may succeed later."""

    retryable = True


class OperationRefused(AuthEventsError):
    """Kafka, or a safety check, forbids an operation; nothing was changed unless the message says so.

    Attributes:
        code: librdkafka's name of the reason, such as ``GROUP_AUTHORIZATION_FAILED``.
    """

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        super().__init__(f"{reason} ({code})")


class InboxUnavailable(AuthEventsError):
    """An inbox cannot look up or record whether an event was handled; the same call may succeed later."""

    retryable = True


class BrokenTransaction(AuthEventsError):
    """A handler left the inbox's transaction aborted, or ended it: nothing was committed."""


class InvalidSchema(AuthEventsError):
    """A schema's text or descriptor cannot be understood."""


class CompilationTimeout(InvalidSchema):
    """protoc did not finish in time: the text is hostile, or the machine busy, and a later call succeeds."""

    retryable = True


class MissingExtra(AuthEventsError):
    """An optional dependency is needed and not installed.

    Attributes:
        extra: the extra of this package that brings it.
    """

    def __init__(self, extra: str, purpose: str) -> None:
        self.extra = extra
        super().__init__(f"{purpose} needs: pip install 'immersiverse-auth-events[{extra}]'")


class OutboxUnavailable(AuthEventsError):
    """The outbox's database does not answer, or refuses; the same call may succeed later."""

    retryable = True
