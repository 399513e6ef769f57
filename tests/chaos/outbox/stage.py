"""The stage: one broker, one PostgreSQL, writers, relays and a subscriber."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import sqlalchemy as sa
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from chaos.effects import create_database, open_database
from chaos.groups import Group
from chaos.outbox.applying import GROUP
from chaos.outbox.transactions import OUTBOX, SERVICE_TABLES
from chaos.outbox.wire import on_the_wire
from chaos.stage import PARTITIONS
from chaos.story import TOPICS
from chaos.topic_log import TopicLog
from chaos.worker import Worker
from immersiverse.auth.events.catalog import DEAD_LETTER_TOPIC
from stack.kafka import KafkaCluster, kafka_cluster
from stack.postgres import Postgres, postgres

WRITERS, RELAYS = 2, 3
_SETTINGS = ("max_prepared_transactions=50", "deadlock_timeout=100ms", "max_connections=150")


class OutboxStage:
    """Everything that plays a part, ready to begin.

    Args:
        cluster: the broker.
        folder: where journals and logs are.
        open_files: closes what is opened, in the end.

    Attributes:
        postgres: the database; another after a restore, at the same address.
        writers: each writes with several threads.
        relays: they share the outbox.
        subscriber: applies each event with a SQL inbox.
    """

    def __init__(self, cluster: KafkaCluster, folder: Path, open_files: ExitStack) -> None:
        self.cluster = cluster
        self.folder = folder
        self._open = open_files
        self.postgres = open_files.enter_context(postgres(*_SETTINGS))
        self.engine = sa.create_engine(self.postgres.url, poolclass=sa.NullPool)
        OUTBOX.create_all(self.engine)
        with self.engine.begin() as connection:
            for statement in SERVICE_TABLES:
                connection.exec_driver_sql(statement)
        quiet = {"reconnect.backoff.max.ms": 500, "log_level": 0}
        self._admin = AdminClient({"bootstrap.servers": cluster.bootstrap, **quiet})
        self._create_topics()
        self.effects = open_database(folder / "effects.db")
        create_database(self.effects, GROUP)
        self.writers = tuple(self._writer(number) for number in range(1, WRITERS + 1))
        self.relays = tuple(self._relay(number) for number in range(1, RELAYS + 1))
        arguments = (cluster.bootstrap, str(folder))
        self.subscriber = Worker("subscriber", "chaos.outbox.applying", arguments, folder / "subscriber.log")
        self.wire = TopicLog(cluster.bootstrap, {TOPICS[0]: PARTITIONS}, on_the_wire)
        places = [(TOPICS[0], number) for number in range(PARTITIONS)]
        self.group = Group(cluster.bootstrap, GROUP, places)

    @property
    def lasting(self) -> tuple[Worker, ...]:
        """Who is there from the beginning to the end, unless it is killed."""
        return (*self.writers, *self.relays, self.subscriber)

    @property
    def journals(self) -> list[Path]:
        """The writers' ledgers."""
        return [self._journal(writer.name) for writer in self.writers]

    def broker_is_back(self) -> bool:
        """Whether Kafka answers."""
        try:
            return bool(self._admin.list_topics(timeout=3).brokers)
        except KafkaException:
            return False

    def connect(self) -> psycopg.Connection[tuple[int]]:
        """A connection in AUTOCOMMIT."""
        address = {"host": "127.0.0.1", "user": "postgres", "dbname": "postgres"}
        return psycopg.connect(**address, port=self.postgres.port, connect_timeout=5, autocommit=True)

    def replace_postgres(self) -> Postgres:
        """End the database for good, and start a new and empty one at its address."""
        self.postgres.stop()
        self.postgres = self._open.enter_context(postgres(*_SETTINGS, port=self.postgres.port))
        return self.postgres

    def clear(self) -> None:
        """End every process but the servers."""
        for worker in self.lasting:
            worker.kill()
        self.group.close()
        self.wire.close()
        self.effects.dispose()
        self.engine.dispose()

    def _writer(self, number: int) -> Worker:
        name = f"writer-{number}"
        arguments = (self.postgres.url, name, str(self._journal(name)))
        return Worker(name, "chaos.outbox.writing", arguments, self.folder / f"{name}.log")

    def _relay(self, number: int) -> Worker:
        name = f"relay-{number}"
        arguments = (self.postgres.url, self.cluster.bootstrap)
        return Worker(name, "integration.outbox.relay_process", arguments, self.folder / f"{name}.log")

    def _journal(self, writer: str) -> Path:
        return self.folder / f"{writer}.ledger"

    def _create_topics(self) -> None:
        topics = [NewTopic(topic, num_partitions=PARTITIONS) for topic in (*TOPICS, DEAD_LETTER_TOPIC)]
        for created in self._admin.create_topics(topics).values():
            created.result(timeout=30)


@contextmanager
def staged(folder: Path) -> Iterator[OutboxStage]:
    """A stage with every process running.

    Raises:
        StackError: Kafka or PostgreSQL cannot be started.
    """
    with ExitStack() as open_files:
        cluster = open_files.enter_context(kafka_cluster())
        stage = OutboxStage(cluster, folder, open_files)
        try:
            for worker in stage.lasting:
                worker.start()
            yield stage
        finally:
            stage.clear()
