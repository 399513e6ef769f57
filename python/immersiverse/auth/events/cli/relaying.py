"""Runs a relay at a terminal or as a service: signals, log lines on standard error, progress, metrics."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.cli.output import NO_CONNECTION, CommandFailed, progress, until_stopped, warn
from immersiverse.auth.events.errors import MissingExtra
from immersiverse.auth.events.observability.hooks import Relayed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from immersiverse.auth.events.cli.options.database import OutboxDatabaseAndTables
    from immersiverse.auth.events.observability.hooks import Detail, Hook
    from immersiverse.auth.events.outbox.relay import RelayPolicy

_LOGGER: Final = "immersiverse.auth.events"


def run_relay(
    database: OutboxDatabaseAndTables,
    settings: Mapping[str, Any],
    policy: RelayPolicy,
    *,
    metrics_port: int | None,
    is_quiet: bool,
) -> None:
    """Relay until SIGTERM or SIGINT.

    Raises:
        CommandFailed: the port for metrics is taken.
        ConfigurationError: a setting of Kafka's is wrong.
        MissingExtra: metrics need the extra `prometheus`.
    """
    from immersiverse.auth.events.outbox.relay import OutboxRelay

    with (
        until_stopped() as stopped,
        _metrics(metrics_port) as hooks,
        progress("relayed", silent=is_quiet) as show,
        _logged(is_quiet=is_quiet),
    ):
        relay = OutboxRelay(
            database.engine,
            settings,
            tables=database.tables,
            policy=policy,
            hooks=[*hooks, RelayedCount(show)],
        )
        threading.Thread(target=_stop, args=(stopped, relay.stop), daemon=True).start()
        relay.run()


class RelayedCount:
    """A hook that shows how many events were relayed."""

    def __init__(self, show: Callable[[int], None]) -> None:
        self._show = show
        self._count = 0

    def __call__(self, detail: Detail) -> None:
        """Add what was relayed."""
        if isinstance(detail, Relayed):
            self._count += detail.count
            self._show(self._count)


def _stop(stopped: threading.Event, stop: Callable[[], None]) -> None:
    stopped.wait()
    stop()


@contextmanager
def _metrics(port: int | None) -> Iterator[list[Hook]]:
    if port is None:
        yield []
        return
    try:
        from prometheus_client import CollectorRegistry, start_http_server
    except ImportError as error:
        raise MissingExtra("prometheus", "--metrics-port") from error
    from immersiverse.auth.events.observability import PrometheusHook

    registry = CollectorRegistry()
    hook = PrometheusHook(registry)
    try:
        server, thread = start_http_server(port, registry=registry)
    except OSError as error:
        raise CommandFailed(f"cannot listen on port {port}: {error.strerror}", NO_CONNECTION) from error
    try:
        yield [hook]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Lines(logging.Handler):
    """Writes log records as lines of standard error, above a progress display."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one."""
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        warn(f"{at} {record.levelname} {record.getMessage()}")


@contextmanager
def _logged(*, is_quiet: bool) -> Iterator[None]:
    logger, handler = logging.getLogger(_LOGGER), _Lines()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING if is_quiet else logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
