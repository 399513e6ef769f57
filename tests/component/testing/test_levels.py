"""Compatibility levels: of all subjects, and of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from component.testing.caller import Caller


def test_a_new_registry_is_backward_compatible(ask: Caller) -> None:
    assert ask.ok("GET", "/config") == {"compatibilityLevel": "BACKWARD"}


def test_levels_are_set_for_all_and_for_one_subject(ask: Caller) -> None:
    assert ask.ok("PUT", "/config", {"compatibility": "full_transitive"}) == {
        "compatibility": "FULL_TRANSITIVE"
    }
    assert ask.code("GET", "/config/s") == 40408
    assert ask.ok("GET", "/config/s?defaultToGlobal=true") == {"compatibilityLevel": "FULL_TRANSITIVE"}
    assert ask.ok("PUT", "/config/s", {"compatibility": "NONE"}) == {"compatibility": "NONE"}
    assert ask.ok("GET", "/config/s") == {"compatibilityLevel": "NONE"}
    assert ask.ok("DELETE", "/config/s") == {"compatibilityLevel": "NONE"}
    assert ask.code("DELETE", "/config/s") == 40401
    assert ask.ok("DELETE", "/config") == {"compatibilityLevel": "FULL_TRANSITIVE"}
    assert ask.ok("GET", "/config") == {"compatibilityLevel": "BACKWARD"}


def test_an_unknown_level_is_refused(ask: Caller) -> None:
    for wrong in ({"compatibility": "SIDEWAYS"}, {"compatibility": 5}, {"compatibility": ""}, {}):
        assert ask.code("PUT", "/config", wrong) == 42203
        assert ask.code("PUT", "/config/s", wrong) == 42203
    assert ask.ok("GET", "/config") == {"compatibilityLevel": "BACKWARD"}
