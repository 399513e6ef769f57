"""The behaviour of every inbox, on real servers."""

from __future__ import annotations

from functools import partial

import pytest

from inboxes.behaviour import *  # noqa: F403 - each of them is a test here
from inboxes.makers import in_redis, in_redis_async, sql, sql_async

MAKERS = {
    "postgres": ("postgres", sql),
    "postgres session": ("postgres", partial(sql, session=True)),
    "async postgres": ("postgres", sql_async),
    "async postgres session": ("postgres", partial(sql_async, session=True)),
    "asyncpg": ("postgres", partial(sql_async, driver="asyncpg")),
    "asyncpg session": ("postgres", partial(sql_async, driver="asyncpg", session=True)),
    "redis": ("redis_server", in_redis),
    "async redis": ("redis_server", in_redis_async),
}


@pytest.fixture(params=MAKERS)
def inbox(request):
    server, maker = MAKERS[request.param]
    with maker(request.getfixturevalue(server).url) as made:
        yield made


@pytest.fixture(params=MAKERS)
def unlimited(request):
    server, maker = MAKERS[request.param]
    with maker(request.getfixturevalue(server).url, max_version_jump=None) as made:
        yield made
