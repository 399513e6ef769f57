"""Requests to group coordinators from a subprocess, which may die."""

from __future__ import annotations

import sys

import pytest

from immersiverse.auth.events.admin import _group_admin_subprocess as group_admin
from immersiverse.auth.events.admin._group_admin_subprocess import ask_coordinators
from immersiverse.auth.events.admin.cluster import Cluster
from immersiverse.auth.events.errors import BrokerUnavailable, OperationRefused

NOWHERE = {"bootstrap.servers": "127.0.0.1:1", "log_level": 0}
ORDER = {"describe": ["analytics"]}
# Aborts as librdkafka's assertion does, the first time. Its start takes longer than the cluster's timeout.
ABORTS_ONCE = """
import os, pathlib, sys, time
time.sleep(0.3)
marker = pathlib.Path({marker!r})
if not marker.exists():
    marker.touch()
    os.abort()
sys.stdout.write("[]")
"""


@pytest.fixture
def cluster():
    return Cluster(NOWHERE, timeout=0.2)


@pytest.fixture
def instead(monkeypatch):
    """Runs a script in place of the subprocess."""

    def run(script):
        monkeypatch.setattr(group_admin, "_COMMAND", (sys.executable, "-c", script))

    return run


def test_a_subprocess_that_aborts_is_started_again_however_long_its_start_took(cluster, instead, tmp_path):
    instead(ABORTS_ONCE.format(marker=str(tmp_path / "marker")))
    assert ask_coordinators(cluster, "describe", ORDER) == []
    assert (tmp_path / "marker").exists()


def test_a_subprocess_that_always_aborts_means_that_no_coordinator_is_available(cluster, instead):
    instead("import os; os.abort()")
    with pytest.raises(BrokerUnavailable, match=r"cannot describe.*COORDINATOR_NOT_AVAILABLE"):
        ask_coordinators(cluster, "describe", ORDER)


def test_a_subprocess_that_fails_is_reported_with_its_last_line(cluster, instead):
    instead("import sys; sys.exit('no librdkafka here')")
    with pytest.raises(OperationRefused, match="no librdkafka here"):
        ask_coordinators(cluster, "describe", ORDER)


def test_a_subprocess_that_hangs_times_out(cluster, instead, monkeypatch):
    instead("import time; time.sleep(60)")
    monkeypatch.setattr(group_admin, "_START_SECONDS", 0.1)
    with pytest.raises(BrokerUnavailable, match="_TIMED_OUT"):
        ask_coordinators(cluster, "describe", ORDER)


def test_a_refusal_keeps_its_error_code(cluster, instead):
    instead('import sys; sys.stdout.write(\'{"refused": [30, "no"]}\')')
    with pytest.raises(OperationRefused) as caught:
        ask_coordinators(cluster, "describe", ORDER)
    assert caught.value.code == "GROUP_AUTHORIZATION_FAILED"


def test_the_subprocess_connects_to_kafka(cluster):
    with pytest.raises(BrokerUnavailable, match=r"_TIMED_OUT|_TRANSPORT"):
        ask_coordinators(cluster, "describe", ORDER)


def test_with_a_setting_that_is_a_function_the_request_runs_in_this_process(instead):
    instead("import sys; sys.exit('not this way')")
    own = Cluster({**NOWHERE, "stats_cb": lambda _: None}, timeout=0.2)
    with pytest.raises(BrokerUnavailable, match=r"_TIMED_OUT|_TRANSPORT"):
        ask_coordinators(own, "describe", ORDER)
