"""auth-events outbox."""

from __future__ import annotations

import time
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from typer import Argument, Option

from immersiverse.auth.events.cli.commands import CommandGroup
from immersiverse.auth.events.cli.options import AS_JSON, YES
from immersiverse.auth.events.cli.options.database import OutboxOptions  # noqa: TC001 - typer reads it
from immersiverse.auth.events.cli.options.kafka import KafkaOptions  # noqa: TC001 - typer reads it
from immersiverse.auth.events.cli.options.time import seconds_of
from immersiverse.auth.events.cli.output import (
    VERDICT,
    WRONG_USE,
    CommandFailed,
    console,
    require_yes,
    warn,
    write_json,
    write_lines,
)

if TYPE_CHECKING:
    from immersiverse.auth.events.cli.views.outbox import Measured
    from immersiverse.auth.events.outbox.set_aside import SetAside

_LONGEST_AGE = 10**10  # seconds, three centuries; databases know no time long before

outbox = CommandGroup("Relay, watch and maintain an outbox.")
set_aside = CommandGroup("Events that Kafka refused, and those that wait behind them.")
outbox.add_typer(set_aside, name="set-aside", short_help="List, retry and drop what Kafka refused.")


class Dialect(StrEnum):
    """A database system."""

    POSTGRESQL = "postgresql"
    SQLITE = "sqlite"


@outbox.add(
    "ddl", "Print or run the statements that create the tables.", "auth-events outbox ddl > outbox.sql"
)
def ddl(
    *,
    where: OutboxOptions,
    dialect: Dialect | None = Option(
        None, "--dialect", help="Of which database system; by default the database's, else postgresql."
    ),
    apply: bool = Option(False, "--apply", help="Run them in the database."),
) -> None:
    """Print the statements that create the outbox's tables; with --apply, run them.

    Running them again changes nothing. Migrations can take them from `OutboxTables().ddl("postgresql")`.

    Exit codes: 0 done, 2 wrong use, 3 no connection, or the database refuses.
    """
    if apply and dialect is not None:
        raise CommandFailed("--dialect is for printing: --apply asks the database", WRONG_USE)
    if where.database is None and not apply:
        statements = where.tables().ddl(dialect or Dialect.POSTGRESQL)
        write_lines(f"{statement};\n".encode() for statement in statements)
        return
    with where.opened() as (engine, tables):
        if apply:
            tables.create_in(engine)
            warn(f"the outbox {tables.name} is ready")
        else:
            statements = tables.ddl(dialect or engine.dialect.name)
            write_lines(f"{statement};\n".encode() for statement in statements)


@outbox.add(
    "relay",
    "Send the outbox's events to Kafka.",
    "auth-events outbox relay --database postgresql://relay@db/auth -b localhost:9092",
)
def relay(
    *,
    where: OutboxOptions,
    kafka: KafkaOptions,
    keep: str = Option("3d", "--keep", metavar="AGE", help="Keep delivered events for so long."),
    maintain: bool = Option(
        True, "--maintain/--no-maintain", help="Create and drop partitions, if the role owns the tables."
    ),
    pass_by: bool = Option(
        False, "--pass-by", help="Let a user's events pass by one that Kafka refused, out of their order."
    ),
    metrics_port: int | None = Option(
        None, "--metrics-port", metavar="PORT", min=1, max=65535, help="Serve Prometheus metrics there."
    ),
    quiet: bool = Option(False, "--quiet", help="Log warnings and errors only."),
) -> None:
    """Send the outbox's events to Kafka, each user's in order, until SIGTERM or Ctrl-C.

    Several relays share the work, and take over from one that dies. Outages of the database and of Kafka are
    waited for. Logs go to standard error.

    Exit codes: 0 stopped, 2 wrong use, 3 the port for metrics is taken.
    """
    from immersiverse.auth.events.cli.relaying import run_relay
    from immersiverse.auth.events.outbox.relay import RelayPolicy

    policy = RelayPolicy(hold_user=not pass_by, maintain=maintain, keep=_age(keep))
    settings = kafka.settings()
    with where.opened() as database:
        run_relay(database, settings, policy, metrics_port=metrics_port, is_quiet=quiet)


@outbox.add(
    "status",
    "Show backlog, shards and faults.",
    "auth-events outbox status --database postgresql://relay@db/auth --watch",
)
def status(
    *,
    where: OutboxOptions,
    watch: bool = Option(False, "--watch", help="Repeat until interrupted."),
    interval: float = Option(
        2.0, "--interval", metavar="SECONDS", min=0.1, help="The pause between two measurements."
    ),
    as_json: bool = Option(False, "--json", help="As JSON; with --watch, one line per measurement."),
) -> None:
    """Show the backlog, who holds the shards, open transactions with events, sizes, and what is wrong.

    Only undelivered events are read. It takes a second, to measure rates; they include rolled back events.

    Exit codes: 0 done, 2 wrong use, 3 no connection, or tables missing, 130 interrupted.
    """
    from immersiverse.auth.events.cli import watching
    from immersiverse.auth.events.cli.views import outbox as view
    from immersiverse.auth.events.outbox.status import status as measured_status

    with where.opened() as (engine, tables):
        earlier = measured_status(engine, tables)

        def measure() -> Measured:
            nonlocal earlier
            now = measured_status(engine, tables)
            found, earlier = view.Measured(now, *now.rates(earlier)), now
            return found

        time.sleep(min(1.0, interval))
        if watch:
            watching.watch(measure, interval, document=view.document, drawn=view.drawn, as_json=as_json)
        elif as_json:
            write_json(view.document(measure()))
        else:
            console().print(view.drawn(measure()))


@outbox.add(
    "maintain",
    "Create partitions ahead, and drop old ones.",
    "auth-events outbox maintain --database postgresql://owner@db/auth --keep 3d",
)
def maintain(
    *,
    where: OutboxOptions,
    keep: str = Option("3d", "--keep", metavar="AGE", help="Keep delivered events for so long."),
    days_ahead: int = Option(
        7, "--days-ahead", metavar="N", min=1, max=366, help="Create the partitions of so many days."
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Create the partitions of the next days, and drop those that are old and delivered. Run it daily.

    Relays do it once an hour if their role owns the tables. Writers never wait long: what does not get its
    locks at once is left for the next run. In SQLite, old delivered rows are deleted.

    Exit codes: 0 done, 1 refused (the role does not own the tables), 2 wrong use, 3 no connection, or tables
    missing.
    """
    from immersiverse.auth.events.cli.views import outbox as view
    from immersiverse.auth.events.outbox.retention import maintain as maintain_tables

    with where.opened() as (engine, tables):
        done = maintain_tables(engine, tables, keep=_age(keep), days_ahead=days_ahead)
    if as_json:
        write_json(view.maintenance_document(done))
    else:
        for line in view.maintenance_lines(done):
            warn(line)


@set_aside.add(
    "list",
    "List what is set aside.",
    "auth-events outbox set-aside list --database postgresql://relay@db/auth",
)
def list_(
    *,
    where: OutboxOptions,
    limit: int = Option(100, "--limit", metavar="N", min=1, max=100_000, help="At most so many."),
    as_json: bool = AS_JSON,
) -> None:
    """List events that Kafka refused, with its reason, and those that wait behind them; refused ones first.

    Exit codes: 0 done, 2 wrong use, 3 no connection, or tables missing.
    """
    from immersiverse.auth.events.cli.views import outbox as view
    from immersiverse.auth.events.outbox.set_aside import SetAside

    with where.opened() as database:
        rows = SetAside(*database).rows(limit)
    if as_json:
        write_json([view.row_document(row) for row in rows])
    elif rows:
        console().print(view.row_table(rows))
    else:
        warn("nothing is set aside")


_ROWS: list[int] | None = Argument(
    None, metavar="ROW...", show_default=False, help="The numbers that `list` shows."
)


@set_aside.add(
    "retry",
    "Send refused events again.",
    "auth-events outbox set-aside retry --database postgresql://relay@db/auth 4711",
)
def retry(
    rows: list[int] | None = _ROWS,
    *,
    where: OutboxOptions,
    all_: bool = Option(False, "--all", help="All that were refused."),
) -> None:
    """Have a relay send refused events again, and those behind them. Those that are refused again come back.

    Exit codes: 0 done, 1 no such row, 2 wrong use, 3 no connection, or tables missing.
    """
    from immersiverse.auth.events.outbox.set_aside import SetAside

    if all_ == bool(rows):
        raise CommandFailed("give row numbers or --all", WRONG_USE)
    with where.opened() as database:
        count = SetAside(*database).retry(rows or None)
    if rows and count < len(set(rows)):
        raise CommandFailed(_missing(rows, count, "will be retried"), VERDICT)
    warn(f"{count} events will be retried")


@set_aside.add(
    "drop",
    "Delete refused events forever.",
    "auth-events outbox set-aside drop --database postgresql://relay@db/auth 4711",
)
def drop(
    rows: list[int] = Argument(
        ..., metavar="ROW...", show_default=False, help="The numbers that `list` shows."
    ),
    *,
    where: OutboxOptions,
    yes: bool = YES,
) -> None:
    """Delete refused events: they are never published, and consumers see a gap in their user's versions.

    Events that wait behind them are sent. It asks for confirmation, unless --yes is given.

    Exit codes: 0 done, 1 no such row, one that only waits, or not confirmed, 2 wrong use, 3 no connection, or
    tables missing, 130 interrupted.
    """
    from immersiverse.auth.events.outbox.set_aside import SetAside

    with where.opened() as database:
        store: SetAside = SetAside(*database)
        if not yes:
            store.rows(1)  # without a connection, nothing need be asked
            require_yes(f"Never publish {len(set(rows))} events?")
        count = store.drop(rows)
    if count < len(set(rows)):
        raise CommandFailed(_missing(rows, count, "are dropped"), VERDICT)
    warn(f"{count} events are dropped")


def _missing(rows: list[int], count: int, done: str) -> str:
    return f"{count} events {done}; {len(set(rows)) - count} of these rows are not there, or only wait"


def _age(text: str) -> timedelta:
    seconds = seconds_of(text)
    if seconds is None or seconds > _LONGEST_AGE:
        raise CommandFailed(f"invalid age {text!r}: write one such as 12h or 3d", WRONG_USE)
    return timedelta(seconds=seconds)
