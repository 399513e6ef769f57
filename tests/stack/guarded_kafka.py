"""A Kafka that asks for credentials, for tests of what credentials and rights do to clients."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from stack.kafka import KafkaCluster, report_ready, start_kafka
from stack.kafka_security import Security


@contextmanager
def guarded_kafka(plain_users: Mapping[str, str] | None = None) -> Iterator[tuple[KafkaCluster, Security]]:
    """A real broker that asks for credentials, ready to use, with what its clients need to be believed.

    Args:
        plain_users: passwords by user name, of users that may come by PLAIN.

    Raises:
        StackError: it cannot be downloaded or started; the message says why.
    """
    with tempfile.TemporaryDirectory(prefix="auth-events-guarded-kafka-") as folder:
        security = Security.create(Path(folder), plain_users)
        cluster = start_kafka(Path(folder), security=security)
        try:
            report_ready(cluster)
            yield cluster, security
        finally:
            cluster.kill()
