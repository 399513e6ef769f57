"""auth-events inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.cli import inbox_options as options
from immersiverse.auth.events.cli.commands import new_group
from immersiverse.auth.events.cli.output import WRONG_USE, CommandFailed, require_yes, warn, write_json

if TYPE_CHECKING:
    from immersiverse.auth.events.guards import Forgotten

inbox = new_group("What consumers remember of the events that they handled.")


@inbox.command(
    short_help="Forget a user, or all that a consumer handled.",
    epilog="Example: auth-events inbox forget --consumer analytics --user 85f64a2a --database sqlite:///app.db",
)
def forget(
    *,
    consumer: options.Consumer,
    user: options.User = None,
    all_: options.All = False,
    database: options.Database = None,
    schema: options.Schema = None,
    redis: options.Redis = None,
    yes: options.Yes = False,
    as_json: options.AsJson = False,
) -> None:
    """Forget the last versions of a user, so that its next event is handled whatever its version.

    With --all it forgets everything: events that come again are handled again. Stop the consumer before that.
    It asks, unless --yes answers.

    Exit codes: 0 done, 1 you said no, 2 wrong use, 3 no connection, or no such tables, 130 interrupted.
    """
    if all_ == (user is not None):
        raise CommandFailed("one of --user and --all says what is forgotten", WRONG_USE)
    with options.guard_of(consumer, database, schema, redis) as guard:
        if not yes:
            what = "all that it handled" if user is None else f"the versions of {user!r}"
            require_yes(f"Let {consumer} forget {what}?")
        _report(guard.forget_all() if user is None else guard.forget(user.encode()), as_json=as_json)


@inbox.command(
    short_help="Forget what was handled long ago.",
    epilog="Example: auth-events inbox prune --consumer analytics --older-than 30d --database sqlite:///app.db",
)
def prune(
    *,
    consumer: options.Consumer,
    database: options.Database = None,
    schema: options.Schema = None,
    older_than: options.OlderThan = "8d",
    as_json: options.AsJson = False,
) -> None:
    """Forget ids and versions that were handled so long ago. Subscribers do this every hour; Redis by itself.

    Exit codes: 0 done, 2 wrong use, 3 no connection, or no such tables, 130 interrupted.
    """
    age = options.age(older_than)
    if database is None:
        raise CommandFailed("--database says where the memory is", WRONG_USE)
    with options.in_database(database, schema, consumer) as guard:
        _report(guard.prune(age), as_json=as_json)


def _report(forgotten: Forgotten, *, as_json: bool) -> None:
    if as_json:
        write_json({"ids": forgotten.ids, "versions": forgotten.versions})
    else:
        warn(f"forgotten: {forgotten.ids} event ids, {forgotten.versions} versions of users")
