"""A real Kafka where a user may do only what was allowed, as its clients and its administrator see it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from immersiverse.auth.events import (
    AuthEventDeserializer,
    DeadLetters,
    PinnedSchemas,
    Policy,
    Publisher,
    Retry,
    Subscriber,
)
from immersiverse.auth.events.admin.cluster import is_failover
from immersiverse.auth.events.v1.events_pb2 import AuthEvent
from integration.running import ToTopic, eventually
from stack.kafka import KafkaCluster
from stack.kafka_security import SCRAM, Security

SOON: Final = Retry(first=0.2, factor=1.0)
_ITERATIONS = 4096  # the least that Kafka accepts
_RESOURCES = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP}
_WAIT = 30
_SOME_EVENT = (
    b'{"eventType":"UserCreated","timestamp":"2025-07-01T09:00:00Z","payload":{"userId":"user-1",'
    b'"username":"alice","email":"alice@example.com","createdAt":"2025-07-01T09:00:00Z"}}'
)

Acl = TypeVar("Acl", AclBinding, AclBindingFilter)


class User:
    """A user whom the brokers know, and what it may do.

    Attributes:
        name: the name.
        password: the password.
        config: librdkafka's settings of its clients.
    """

    def __init__(self, kafka: Guarded, name: str, password: str, mechanism: str = SCRAM) -> None:
        self.name = name
        self.password = password
        self.config = kafka.config_of(name, password, mechanism)
        self._kafka = kafka

    def may(self, operation: str, topic: str = "", *, group: str = "") -> User:
        """Give it a right on a topic or a group; it holds when this returns."""
        kind, resource = ("group", group) if group else ("topic", topic)
        self._kafka.allow(self.name, operation, kind, resource)
        return self

    def publisher(self, topic: str, **config: Any) -> Publisher:
        """Its publisher to one topic."""
        return Publisher({**self.config, **_dotted(config)}, serializer=ToTopic(topic))

    def subscriber(
        self, topics: Iterable[str], group: str, *, dead_letter_topic: str = "", **config: Any
    ) -> Subscriber:
        """Its subscriber, which dead-letters what fails once."""
        settings = {**self.config, "group.id": group, **_dotted(config)}
        return Subscriber(
            settings,
            list(topics),
            deserializer=AuthEventDeserializer(PinnedSchemas(1)),
            policy=Policy(retry=Retry(attempts=1), commit_interval=0.1, drain=0.5),
            dead_letters=DeadLetters(settings, topic=dead_letter_topic, patience=SOON)
            if dead_letter_topic
            else None,
        )


class Guarded:
    """The brokers, and what an administrator does to them.

    Args:
        cluster: the brokers.
        security: how they are convinced.

    Attributes:
        bootstrap: their addresses.
        security: that.
        config: librdkafka's settings of the super user's clients.
    """

    def __init__(self, cluster: KafkaCluster, security: Security) -> None:
        self.bootstrap = cluster.bootstrap
        self.security = security
        self.config: dict[str, Any] = {"bootstrap.servers": cluster.bootstrap, **cluster.credentials}
        self._admin = AdminClient({**self.config, "log_level": 0})

    def config_of(self, name: str, password: str, mechanism: str = SCRAM) -> dict[str, Any]:
        """librdkafka's settings of a user's clients."""
        return {
            "bootstrap.servers": self.bootstrap,
            **self.security.client_settings(name, password, mechanism),
        }

    def user(self) -> User:
        """A new user, who may do nothing."""
        user = User(self, f"user-{uuid.uuid4().hex[:12]}", f"password-of-{uuid.uuid4().hex}")
        self.set_password(user.name, user.password)
        return user

    def set_password(self, name: str, password: str) -> None:
        """Have the brokers believe this password, and no other."""
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, _ITERATIONS)
        change = UserScramCredentialUpsertion(name, info, password.encode())
        self._admin.alter_user_scram_credentials([change])[name].result(_WAIT)
        eventually(lambda: self._knows(name, password))

    def allow(self, name: str, operation: str, kind: str, resource: str) -> None:
        """Add an ACL; it holds when this returns."""
        acl = _acl(AclBinding, name, operation, kind, resource)
        self._admin.create_acls([acl])[acl].result(_WAIT)
        eventually(lambda: self._has(name, operation, kind, resource))

    def forbid(self, name: str, operation: str, kind: str, resource: str) -> None:
        """Remove an ACL; it does not hold any more when this returns."""
        acl = _acl(AclBindingFilter, name, operation, kind, resource)
        self._admin.delete_acls([acl])[acl].result(_WAIT)
        eventually(lambda: not self._has(name, operation, kind, resource))

    def _has(self, name: str, operation: str, kind: str, resource: str) -> bool:
        acl = _acl(AclBindingFilter, name, operation, kind, resource)
        return bool(self._admin.describe_acls(acl).result(_WAIT))

    def topic(self, name: str = "") -> str:
        """A topic of one partition."""
        name = name or f"test-{uuid.uuid4()}"
        self._admin.create_topics([NewTopic(name, num_partitions=1)])[name].result(_WAIT)
        return name

    def contract_topic(self, name: str) -> str:
        """One of the contract's own topics, with some event in it; tests share it."""
        if name not in self._admin.list_topics(timeout=_WAIT).topics:
            self.put(self.topic(name), _SOME_EVENT, [])
        return name

    def put(self, topic: str, value: bytes, headers: list[tuple[str, bytes | None]]) -> None:
        """Put a message on a topic."""
        producer = Producer(self.config)
        producer.produce(topic, value, b"user-1", headers=list[tuple[str, Any]](headers))
        assert producer.flush(_WAIT) == 0

    def commit(self, group: str, topic: str) -> None:
        """Have a group read on from a topic's beginning."""
        consumer = Consumer({**self.config, "group.id": group})
        consumer.commit(offsets=[TopicPartition(topic, 0, 0)], asynchronous=False)
        consumer.close()

    def publish(self, topic: str, *events: AuthEvent) -> None:
        """Put events on a topic."""
        with Publisher(self.config, serializer=ToTopic(topic)) as publisher:
            for event in events:
                publisher.send(event)

    def committed(self, group: str, topic: str) -> int | None:
        """What a group has committed in a topic; None if nothing."""
        # The admin client's own question can end the process while a coordinator moves.
        where = [TopicPartition(topic, 0)]
        offset = self._asked(group, lambda consumer: consumer.committed(where, _WAIT)[0].offset)
        return offset if offset >= 0 else None

    def end(self, topic: str) -> int:
        """The offset that a topic's next message will get."""
        where = TopicPartition(topic, 0)
        return self._asked("reader", lambda consumer: consumer.get_watermark_offsets(where, _WAIT)[1])

    def read(self, topic: str) -> list[Message]:
        """All messages of a topic."""
        end = self.end(topic)
        consumer = Consumer({**self.config, "group.id": "reader"})
        consumer.assign([TopicPartition(topic, 0, 0)])
        found: list[Message] = []

        def has_all() -> bool:
            found.extend(consumer.consume(end - len(found), 0.2) if end else ())
            return len(found) == end

        eventually(has_all)
        consumer.close()
        return found

    def _asked(self, group: str, question: Callable[[Consumer], int]) -> int:
        """The answer; asked again while the coordinator is another one, or not yet one."""
        consumer = Consumer({**self.config, "group.id": group})
        answers: list[int] = []

        def is_answered() -> bool:
            try:
                answers.append(question(consumer))
            except KafkaException as error:
                if not is_failover(error.args[0]):
                    raise
            return bool(answers)

        try:
            eventually(is_answered)
        finally:
            consumer.close()
        return answers[0]

    def _knows(self, name: str, password: str) -> bool:
        admin = AdminClient({**self.config_of(name, password), "log_level": 0})
        try:
            admin.list_topics(timeout=5)
        except KafkaException:
            return False
        return True


def _acl(make: Callable[..., Acl], name: str, operation: str, kind: str, resource: str) -> Acl:
    who, right = f"User:{name}", AclOperation[operation]
    literal, allowed = ResourcePatternType.LITERAL, AclPermissionType.ALLOW
    return make(_RESOURCES[kind], resource, literal, who, "*", right, allowed)


def _dotted(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("_", "."): value for name, value in config.items()}
