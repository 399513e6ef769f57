"""The statements that hold of every guard, on real servers."""

from __future__ import annotations

from functools import partial

import pytest

from guard_makers import in_redis, in_redis_async, sql, sql_async
from guard_statements import *  # noqa: F403 - each of them is a test here

MAKERS = {
    "postgres": ("postgres", sql),
    "postgres session": ("postgres", partial(sql, session=True)),
    "async postgres": ("postgres", sql_async),
    "async postgres session": ("postgres", partial(sql_async, session=True)),
    "redis": ("redis_server", in_redis),
    "async redis": ("redis_server", in_redis_async),
}


@pytest.fixture(params=MAKERS)
def guard(request):
    server, maker = MAKERS[request.param]
    with maker(request.getfixturevalue(server).url) as made:
        yield made


@pytest.fixture(params=MAKERS)
def unlimited(request):
    server, maker = MAKERS[request.param]
    with maker(request.getfixturevalue(server).url, max_version_jump=None) as made:
        yield made
