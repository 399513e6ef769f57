"""Asking coordinators in a process of their own, which dies with them."""

from __future__ import annotations

import sys

import pytest

from immersiverse.auth.events.errors import BrokerUnavailable, OperationRefused
from immersiverse.auth.events.operations import coordinators
from immersiverse.auth.events.operations.cluster import Cluster
from immersiverse.auth.events.operations.coordinators import ask_coordinators

NOWHERE = {"bootstrap.servers": "127.0.0.1:1", "log_level": 0}
ORDER = {"describe": ["analytics"]}
# What librdkafka's assertion does to the process that asks, unless somebody has died of it before.
DIES_ONCE = """
import os, pathlib, sys
grave = pathlib.Path({grave!r})
if not grave.exists():
    grave.touch()
    os.abort()
sys.stdout.write("[]")
"""


@pytest.fixture
def cluster():
    return Cluster(NOWHERE, timeout=0.2)


@pytest.fixture
def instead(monkeypatch):
    """Runs a script where the process that asks would run."""

    def run(script):
        monkeypatch.setattr(coordinators, "_COMMAND", (sys.executable, "-c", script))

    return run


def test_a_process_that_dies_with_a_coordinator_is_started_again(cluster, instead, tmp_path):
    instead(DIES_ONCE.format(grave=str(tmp_path / "grave")))
    assert ask_coordinators(cluster, "describe", ORDER) == []
    assert (tmp_path / "grave").exists()


def test_a_process_that_always_dies_is_a_coordinator_that_is_not_there(cluster, instead):
    instead("import os; os.abort()")
    with pytest.raises(BrokerUnavailable, match=r"cannot describe.*COORDINATOR_NOT_AVAILABLE"):
        ask_coordinators(cluster, "describe", ORDER)


def test_a_process_that_cannot_even_ask_is_named(cluster, instead):
    instead("import sys; sys.exit('no librdkafka here')")
    with pytest.raises(OperationRefused, match="no librdkafka here"):
        ask_coordinators(cluster, "describe", ORDER)


def test_who_does_not_answer_is_not_waited_for_without_end(cluster, instead, monkeypatch):
    instead("import time; time.sleep(60)")
    monkeypatch.setattr(coordinators, "_GRACE", 0.1)
    with pytest.raises(BrokerUnavailable, match="_TIMED_OUT"):
        ask_coordinators(cluster, "describe", ORDER)


def test_kafkas_own_refusals_arrive_as_what_they_are(cluster, instead):
    instead('import sys; sys.stdout.write(\'{"refused": [30, "no"]}\')')
    with pytest.raises(OperationRefused) as caught:
        ask_coordinators(cluster, "describe", ORDER)
    assert caught.value.code == "GROUP_AUTHORIZATION_FAILED"


def test_the_process_asks_kafka_itself(cluster):
    with pytest.raises(BrokerUnavailable, match=r"_TIMED_OUT|_TRANSPORT"):
        ask_coordinators(cluster, "describe", ORDER)


def test_a_setting_that_is_a_function_is_asked_with_here(instead):
    instead("import sys; sys.exit('not this way')")
    own = Cluster({**NOWHERE, "stats_cb": lambda _: None}, timeout=0.2)
    with pytest.raises(BrokerUnavailable, match=r"_TIMED_OUT|_TRANSPORT"):
        ask_coordinators(own, "describe", ORDER)
