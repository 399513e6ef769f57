"""A version is in the cache whole or not at all."""

from __future__ import annotations

import threading

import pytest

from stack.downloads import cached


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "immersiverse-auth-events"


def test_a_download_that_fails_halfway_leaves_nothing_that_looks_whole(cache):
    def fail(folder):
        (folder / "half").touch()
        raise ConnectionError

    with pytest.raises(ConnectionError):
        cached("server-1", fail)
    assert not (cache / "server-1").exists()


def test_what_a_killed_download_left_is_not_part_of_the_next(cache):
    (cache / "server-1.partial").mkdir(parents=True)
    (cache / "server-1.partial" / "half").touch()
    folder = cached("server-1", lambda folder: (folder / "whole").touch())
    assert [path.name for path in folder.iterdir()] == ["whole"]


def test_two_who_want_the_same_download_it_once():
    fetched = []

    def fetch(folder):
        fetched.append(folder)
        ready.wait(0.2)

    ready = threading.Event()
    wanting = [threading.Thread(target=cached, args=("server-1", fetch)) for _ in range(2)]
    for thread in wanting:
        thread.start()
    for thread in wanting:
        thread.join()
    assert len(fetched) == 1
