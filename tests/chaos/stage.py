"""The stage: brokers and a registry, a publisher, two groups of subscribers, and what they leave behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from chaos.effects import create_database, open_database
from chaos.groups import Group
from chaos.machines import Machines
from chaos.poison import Poison
from chaos.story import TOPICS
from chaos.subscribing import WITH_INBOX, WITHOUT_INBOX
from chaos.topic_log import TopicLog, dead_letter_name, event_name
from chaos.worker import Worker
from immersiverse.auth.events.catalog import DEAD_LETTER_TOPIC

GROUPS = (WITH_INBOX, WITHOUT_INBOX)
PARTITIONS = 6


class Stage:
    """Everything that plays a part, ready to begin.

    Attributes:
        machines: the brokers and the registry.
        cluster: the brokers.
        publisher: the only one of the story, so that versions have one source.
        newcomers: publishers that have just begun, on topics of their own.
        subscribers: the lasting member of each group.
        guests: another member of each group, that comes and goes.
    """

    def __init__(self, machines: Machines, folder: Path, random: Random, pace: int, protocol: str) -> None:
        self._protocol = protocol
        self.machines = machines
        self.cluster = machines.cluster
        self.folder = folder
        bootstrap = self.cluster.bootstrap
        self.admin = AdminClient(
            {"bootstrap.servers": bootstrap, "reconnect.backoff.max.ms": 500, "log_level": 0}
        )
        self._create_topics()
        self.database = open_database(folder / "effects.db")
        create_database(self.database, WITH_INBOX)
        self.publisher = self._worker(
            "publisher", "publishing", machines.registry.url, str(self.account), str(pace)
        )
        self.newcomers = self._worker("newcomers", "newcomers", str(folder))
        self.subscribers = tuple(self._subscriber(f"{group} subscriber", group) for group in GROUPS)
        self.guests = tuple(self._subscriber(f"{group} guest", group) for group in GROUPS)
        self.events = TopicLog(bootstrap, dict.fromkeys(TOPICS, PARTITIONS), event_name)
        self.dead_letters = TopicLog(bootstrap, {DEAD_LETTER_TOPIC: PARTITIONS}, dead_letter_name)
        places = [(topic, number) for topic in TOPICS for number in range(PARTITIONS)]
        self.groups = {name: Group(bootstrap, name, places) for name in GROUPS}
        self.poison = Poison(bootstrap, random)

    @property
    def account(self) -> Path:
        """The publisher's journal."""
        return self.folder / "published"

    @property
    def lasting(self) -> tuple[Worker, ...]:
        """Who is there from the beginning to the end, unless it is killed."""
        return (self.publisher, self.newcomers, *self.subscribers)

    def brokers_are_back(self) -> bool:
        """Whether the cluster counts all its brokers."""
        try:
            return len(self.admin.list_topics(timeout=1).brokers) == len(self.cluster.brokers)
        except KafkaException:
            return False

    def leader(self, topic: str, partition: int) -> int:
        """The number of the broker that leads a partition; -1 if none does, or no broker knows."""
        try:
            return int(self.admin.list_topics(topic, timeout=1).topics[topic].partitions[partition].leader)
        except (KafkaException, KeyError):
            return -1

    def clear(self) -> None:
        """End every process but the brokers."""
        for worker in (*self.lasting, *self.guests):
            worker.kill()
        for group in self.groups.values():
            group.close()
        self.events.close()
        self.dead_letters.close()
        self.database.dispose()

    def _subscriber(self, name: str, group: str) -> Worker:
        bootstrap = self.cluster.bootstrap
        return Worker(
            name,
            "chaos.subscribing",
            (group, self._protocol, bootstrap, self.machines.registry.url, str(self.folder)),
            self.folder / f"{name}.log",
        )

    def _worker(self, name: str, module: str, *arguments: str) -> Worker:
        bootstrap = self.cluster.bootstrap
        return Worker(name, f"chaos.{module}", (bootstrap, *arguments), self.folder / f"{name}.log")

    def _create_topics(self) -> None:
        topics = [NewTopic(topic, num_partitions=PARTITIONS) for topic in (*TOPICS, DEAD_LETTER_TOPIC)]
        for created in self.admin.create_topics(topics).values():
            created.result(timeout=30)


@contextmanager
def staged(machines: Machines, folder: Path, random: Random, pace: int, protocol: str) -> Iterator[Stage]:
    """A stage on these machines, with every worker running."""
    stage = Stage(machines, folder, random, pace, protocol)
    try:
        for worker in stage.lasting:
            worker.start()
        yield stage
    finally:
        stage.clear()
