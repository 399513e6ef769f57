"""auth-events inbox."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from typer import Option

from immersiverse.auth.events.cli.commands import CommandGroup
from immersiverse.auth.events.cli.options import YES
from immersiverse.auth.events.cli.options.time import seconds_of
from immersiverse.auth.events.cli.output import WRONG_USE, CommandFailed, require_yes, warn, write_json
from immersiverse.auth.events.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.inbox.interface import Forgotten
    from immersiverse.auth.events.inbox.redis import RedisInbox
    from immersiverse.auth.events.inbox.sql import SqlInbox

_DATABASE_URL = "postgresql+psycopg://NAME:PASSWORD@HOST/DATABASE"
_REDIS_URL = "redis://HOST:6379/0"

_COUNTS_AS_JSON: bool = Option(False, "--json", help="Print only the counts, as JSON.")
_LONGEST_AGE = 10**10  # seconds, three centuries; databases know no time long before

inbox = CommandGroup("What consumers' inboxes remember of handled events.")


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    """Whose inbox, in which database."""

    consumer: str = Option(
        ..., "--consumer", "-c", metavar="NAME", help="The consumer, as its inbox names it."
    )
    database: str | None = Option(
        None,
        "--database",
        metavar="URL",
        envvar="AUTH_EVENTS_DATABASE",
        help=f"The inbox's database, such as {_DATABASE_URL}.",
    )
    schema: str | None = Option(
        None, "--schema", metavar="NAME", help="The database schema of the inbox's tables."
    )


@inbox.add(
    "forget",
    "Forget a user, or all that a consumer handled.",
    "auth-events inbox forget --consumer analytics --user 85f64a2a --database sqlite:///app.db",
)
def forget(
    *,
    where: DatabaseOptions,
    redis: str | None = Option(
        None,
        "--redis",
        metavar="URL",
        envvar="AUTH_EVENTS_REDIS",
        help=f"The inbox's Redis, such as {_REDIS_URL}.",
    ),
    user: str | None = Option(None, "--user", metavar="KEY", help="Forget the versions of this message key."),
    all_: bool = Option(False, "--all", help="Forget all that the consumer handled."),
    yes: bool = YES,
    as_json: bool = _COUNTS_AS_JSON,
) -> None:
    """Forget the versions of a user, so that its next event is handled whatever its version.

    With --all it forgets everything: redelivered events are handled again. Stop the consumer before. It asks
    for confirmation, unless --yes is given.

    Exit codes: 0 done, 1 you said no, 2 wrong use, 3 no connection, or tables missing, 130 interrupted.
    """
    if all_ == (user is not None):
        raise CommandFailed("give one of --user and --all", WRONG_USE)
    if (where.database is None) == (redis is None):
        raise CommandFailed("give one of --database and --redis", WRONG_USE)
    with _in_redis(redis, where.consumer) if redis is not None else _in_database(where) as store:
        if not yes:
            what = "all that it handled" if user is None else f"the versions of {user!r}"
            require_yes(f"Let {where.consumer} forget {what}?")
        _report(store.forget_all() if user is None else store.forget(user.encode()), as_json=as_json)


@inbox.add(
    "prune",
    "Forget what was handled long ago.",
    "auth-events inbox prune --consumer analytics --older-than 30d --database sqlite:///app.db",
)
def prune(
    *,
    where: DatabaseOptions,
    older_than: str = Option(
        "15d", "--older-than", metavar="AGE", help="Such as 12h or 30d: longer than topics keep events."
    ),
    as_json: bool = _COUNTS_AS_JSON,
) -> None:
    """Delete old event ids and versions in SQL. Subscribers do this every hour; in Redis they expire.

    Exit codes: 0 done, 2 wrong use, 3 no connection, or tables missing, 130 interrupted.
    """
    age = seconds_of(older_than)
    if not age or age > _LONGEST_AGE:
        raise CommandFailed(f"invalid age {older_than!r}: write one such as 90m, 12h or 8d", WRONG_USE)
    with _in_database(where) as store:
        _report(store.prune(timedelta(seconds=age)), as_json=as_json)


@contextmanager
def _in_database(where: DatabaseOptions) -> Iterator[SqlInbox]:
    """An inbox in a database. Errors do not show the URL: it may hold a password."""
    if where.database is None:
        raise CommandFailed("give --database", WRONG_USE)
    try:
        from sqlalchemy import create_engine
        from sqlalchemy.exc import ArgumentError
    except ImportError as error:
        raise MissingExtra("sql", "--database") from error
    from immersiverse.auth.events.inbox.sql import SqlInbox, inbox_tables

    try:
        engine = create_engine(where.database)
    except (ArgumentError, ImportError, ValueError) as error:
        reason = (
            f"--database is not a database URL ({type(error).__name__}): write one such as {_DATABASE_URL}"
        )
        raise CommandFailed(reason, WRONG_USE) from error
    try:
        yield SqlInbox(engine, where.consumer, tables=inbox_tables(schema=where.schema))
    finally:
        engine.dispose()


@contextmanager
def _in_redis(url: str, consumer: str) -> Iterator[RedisInbox]:
    """An inbox in Redis. Errors do not show the URL: it may hold a password."""
    try:
        import redis
    except ImportError as error:
        raise MissingExtra("redis", "--redis") from error
    from immersiverse.auth.events.inbox.redis import RedisInbox

    try:
        client = redis.Redis.from_url(url)
    except ValueError as error:
        raise CommandFailed(
            f"--redis is not a Redis URL: write one such as {_REDIS_URL}", WRONG_USE
        ) from error
    with client:
        yield RedisInbox(client, consumer)


def _report(forgotten: Forgotten, *, as_json: bool) -> None:
    if as_json:
        write_json(forgotten._asdict())
    else:
        warn(f"forgotten: {forgotten.ids} event ids, {forgotten.versions} versions of users")
