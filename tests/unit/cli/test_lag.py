"""auth-events lag, drawn."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from immersiverse.auth.events.admin.lag import PartitionLag
from immersiverse.auth.events.cli.commands.groups import repeat
from immersiverse.auth.events.cli.views import groups as view
from immersiverse.auth.events.errors import BrokerUnavailable, OperationRefused
from immersiverse.auth.events.partition import Partition


def row(number, behind, group="analytics"):
    return PartitionLag(group, "stable", Partition("auth.events.login", number), 100, 100 + behind, behind)


def drawn(rows, height=None, width=100):
    console = Console(file=io.StringIO(), width=width)
    console.print(view.lag_drawn(rows, height))
    return console.file.getvalue()


def test_what_does_not_fit_a_low_screen_is_what_is_least_behind():
    text = drawn([row(number, behind=number) for number in range(100)], height=16)
    assert len(text.splitlines()) <= 16
    assert "auth.events.login-99" in text
    assert "auth.events.login-90" in text
    assert "auth.events.login-89" not in text
    assert "and 90 more" in text
    assert "4,950" in text  # the sum is that of all


def test_without_a_screen_everything_is_shown():
    text = drawn([row(number, 1) for number in range(100)])
    assert len(text.splitlines()) > 100
    assert "more" not in text


def test_names_are_folded_and_never_cut_on_a_narrow_screen():
    text = drawn([row(0, 1_234_567, group="a-group-with-a-name-of-great-length")], width=60)
    assert max(map(len, text.splitlines())) <= 60
    assert "a-group-with-a-name-of-great-length" in "".join(re.findall("^  ([a-z-]+)", text, re.MULTILINE))
    assert "1,234,567" in text


def test_no_group_is_reported():
    assert "no consumer group reads these topics" in drawn([])


def test_an_outage_keeps_the_last_measurement(capfdbinary):
    results = iter([[row(0, 1)], BrokerUnavailable("away"), [row(0, 2)], OperationRefused("X", "no")])

    def measured():
        found = next(results)
        if isinstance(found, Exception):
            raise found
        return found

    with pytest.raises(OperationRefused):
        repeat(measured, 0.0, as_json=True)
    out, err = capfdbinary.readouterr()
    assert [b'"lag":1' in line or b'"lag":2' in line for line in out.splitlines()] == [True, True]
    assert err.decode().startswith("last measured at ")
    assert err.decode().endswith(": away\n")


def test_the_first_measurement_must_succeed():
    def measured():
        raise BrokerUnavailable("away")

    with pytest.raises(BrokerUnavailable):
        repeat(measured, 0.0, as_json=True)
