"""auth-events catalog."""

from __future__ import annotations

import pytest

from component.cli.terminal import run
from immersiverse.auth.events import catalog


@pytest.mark.parametrize("arguments", [[], ["LoginSucceeded"], ["LoginFailed"], ["SuspiciousLogin"]])
def test_tables_fit_into_80_columns_without_cutting_a_name(arguments):
    shown = run("catalog", *arguments, COLUMNS="80").out
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown
    names = set(catalog.EVENT_TYPES)
    if arguments:
        names = {field.name for field in catalog.EVENT_TYPES[arguments[0]].fields}
    assert names | {"pseudonym"} <= set(shown.split())
    assert "pseudon" not in shown.split()
