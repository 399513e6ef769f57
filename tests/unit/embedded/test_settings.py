from __future__ import annotations

from typing import TYPE_CHECKING

from unit.embedded.avro_schemas import record

if TYPE_CHECKING:
    from unit.embedded.caller import Caller


def test_a_new_registry_is_backward_compatible_and_writable(ask: Caller) -> None:
    assert ask.ok("GET", "/config") == {"compatibilityLevel": "BACKWARD"}
    assert ask.ok("GET", "/mode") == {"mode": "READWRITE"}


def test_levels_are_set_for_all_and_for_one_subject(ask: Caller) -> None:
    assert ask.ok("PUT", "/config", {"compatibility": "full_transitive"}) == {
        "compatibility": "FULL_TRANSITIVE"
    }
    assert ask.code("GET", "/config/s") == 40408
    assert ask.ok("GET", "/config/s?defaultToGlobal=true") == {"compatibilityLevel": "FULL_TRANSITIVE"}
    assert ask.ok("PUT", "/config/s", {"compatibility": "NONE"}) == {"compatibility": "NONE"}
    assert ask.ok("GET", "/config/s") == {"compatibilityLevel": "NONE"}
    assert ask.ok("DELETE", "/config/s") == {"compatibilityLevel": "NONE"}
    assert ask.code("DELETE", "/config/s") == 40408
    assert ask.ok("DELETE", "/config") == {"compatibilityLevel": "BACKWARD"}


def test_an_unknown_level_is_refused(ask: Caller) -> None:
    for nonsense in ({"compatibility": "SIDEWAYS"}, {"compatibility": 5}, {}):
        assert ask.code("PUT", "/config", nonsense) == 42203
        assert ask.code("PUT", "/config/s", nonsense) == 42203


def test_a_read_only_subject_answers_but_takes_nothing(ask: Caller) -> None:
    ask.register("s", record("a"))
    assert ask.ok("PUT", "/mode/s", {"mode": "READONLY"}) == {"mode": "READONLY"}
    assert ask.ok("GET", "/mode/s") == {"mode": "READONLY"}
    assert ask.register("s", record("a")) == 1
    assert ask.code("POST", "/subjects/s/versions", record("a", "b")) == 42205
    assert ask.code("DELETE", "/subjects/s") == 42205
    assert ask.ok("DELETE", "/mode/s") == {"mode": "READONLY"}
    assert ask.register("s", record("a", "b")) == 2


def test_an_unknown_mode_is_refused(ask: Caller) -> None:
    assert ask.code("PUT", "/mode", {"mode": "SLEEP"}) == 42204
    assert ask.code("PUT", "/mode/s", {"mode": None}) == 42204
    assert ask.code("GET", "/mode/s") == 40409
    assert ask.code("DELETE", "/mode/s") == 40409
    assert ask.ok("GET", "/mode/s?defaultToGlobal=true") == {"mode": "READWRITE"}


def test_only_in_import_mode_a_client_gives_the_id(ask: Caller) -> None:
    ask.register("s", record("a"))
    assert ask.code("POST", "/subjects/t/versions", record("b") | {"id": 7}) == 42205
    assert ask.code("PUT", "/mode/s", {"mode": "IMPORT"}) == 42205
    assert ask.code("PUT", "/mode", {"mode": "IMPORT"}) == 42205
    ask.ok("PUT", "/mode?force=True", {"mode": "IMPORT"})
    imported = ask.ok("POST", "/subjects/t/versions", record("b") | {"id": 7, "version": 3})
    assert (imported["id"], imported["version"]) == (7, 3)
    assert ask.code("POST", "/subjects/t/versions", record("c") | {"id": 7}) == 42205
    ask.ok("PUT", "/mode", {"mode": "READWRITE"})
    assert ask.register("u", record("d")) == 8


def test_numbers_that_mean_none_are_none(ask: Caller) -> None:
    assert ask.register("s", record("a") | {"id": -1, "version": 0}) == 1
    assert ask.code("POST", "/subjects/s/versions", record("b") | {"version": "2"}) == 42201
    assert ask.code("POST", "/subjects/s/versions", record("b") | {"version": 1}) == 42201
