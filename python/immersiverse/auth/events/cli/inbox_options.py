"""The options that name a consumer's memory of handled events, and the guard that they make."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from immersiverse.auth.events.cli.output import WRONG_USE, CommandFailed
from immersiverse.auth.events.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.guards import RedisGuard, SqlGuard

Consumer = Annotated[
    str,
    typer.Option("--consumer", "-c", metavar="NAME", help="Whose memory: what its guard was made with."),
]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="AUTH_EVENTS_DATABASE",
        help="The guard's database, such as postgresql+psycopg://NAME:PASSWORD@HOST/DATABASE.",
    ),
]
Schema = Annotated[
    str | None, typer.Option("--schema", metavar="NAME", help="The database schema of the guard's tables.")
]
Redis = Annotated[
    str | None,
    typer.Option(
        "--redis",
        metavar="URL",
        envvar="AUTH_EVENTS_REDIS",
        help="The guard's Redis, such as redis://HOST:6379/0.",
    ),
]
User = Annotated[
    str | None, typer.Option("--user", metavar="KEY", help="The last versions of one user, by the key.")
]
All = Annotated[bool, typer.Option("--all", help="All that the consumer has handled.")]
OlderThan = Annotated[
    str,
    typer.Option("--older-than", metavar="AGE", help="Such as 12h or 30d: longer than topics keep events."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="Only the figures, as JSON.")]

_AGE = re.compile(r"(\d{1,5})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def age(text: str) -> timedelta:
    """An age as operators write it.

    Raises:
        CommandFailed: it is none, or no time at all.
    """
    found = _AGE.fullmatch(text)
    if found is None or not int(found[1]):
        raise CommandFailed(f"{text!r} is not an age: write one such as 90m, 12h or 8d", WRONG_USE)
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


@contextmanager
def guard_of(
    consumer: str, database: str | None, schema: str | None, redis: str | None
) -> Iterator[SqlGuard | RedisGuard]:
    """The guard that the options name.

    Raises:
        CommandFailed: they name none, or more than one, or no such address; without the address, since there
            may be a password in it.
    """
    if (database is None) == (redis is None):
        raise CommandFailed("one of --database and --redis says where the memory is", WRONG_USE)
    if redis is not None:
        with _in_redis(redis, consumer) as in_redis:
            yield in_redis
    elif database is not None:
        with in_database(database, schema, consumer) as in_sql:
            yield in_sql


@contextmanager
def in_database(url: str, schema: str | None, consumer: str) -> Iterator[SqlGuard]:
    """A guard in a database.

    Raises:
        CommandFailed: the address cannot be used.
    """
    try:
        from sqlalchemy import create_engine
        from sqlalchemy.exc import ArgumentError
    except ImportError as error:
        raise MissingExtra("outbox", "--database") from error
    from immersiverse.auth.events.guards import SqlGuard, guard_tables

    try:
        engine = create_engine(url)
    except (ArgumentError, ImportError, ValueError) as error:
        raise CommandFailed(
            f"--database is not the address of a database ({type(error).__name__}): write one such as "
            "postgresql+psycopg://NAME:PASSWORD@HOST/DATABASE",
            WRONG_USE,
        ) from error
    try:
        yield SqlGuard(engine, consumer, tables=guard_tables(schema=schema))
    finally:
        engine.dispose()


@contextmanager
def _in_redis(url: str, consumer: str) -> Iterator[RedisGuard]:
    try:
        import redis
    except ImportError as error:
        raise MissingExtra("redis", "--redis") from error
    from immersiverse.auth.events.guards import RedisGuard

    try:
        client = redis.Redis.from_url(url)
    except ValueError as error:
        raise CommandFailed(
            "--redis is not the address of a Redis: write one such as redis://HOST:6379/0", WRONG_USE
        ) from error
    with client:
        yield RedisGuard(client, consumer)
