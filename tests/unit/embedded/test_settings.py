from __future__ import annotations

from typing import TYPE_CHECKING

from unit.embedded.avro_schemas import body, record

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
    assert ask.code("DELETE", "/config/s") == 40401
    assert ask.ok("DELETE", "/config") == {"compatibilityLevel": "FULL_TRANSITIVE"}
    assert ask.ok("GET", "/config") == {"compatibilityLevel": "BACKWARD"}


def test_a_level_that_is_not_named_stays_and_one_that_is_null_goes(ask: Caller) -> None:
    ask.ok("PUT", "/config", {"compatibility": "FULL"})
    ask.ok("PUT", "/config/s", {"compatibility": "NONE"})
    assert ask.ok("PUT", "/config", {"normalize": True}) == {"compatibility": "FULL"}
    assert ask.ok("PUT", "/config/s", {"compatibilityLevel": "FORWARD"}) == {"compatibility": "NONE"}
    assert ask.ok("PUT", "/config/t", {}) == {}
    ask.ok("PUT", "/config/s", {"compatibility": None})
    ask.ok("PUT", "/config", {"compatibility": None})
    assert ask.ok("GET", "/config/s?defaultToGlobal=true") == {"compatibilityLevel": "BACKWARD"}
    assert ask.code("GET", "/config/s") == ask.code("GET", "/config/t") == 40408


def test_an_unknown_level_is_refused(ask: Caller) -> None:
    for nonsense in ({"compatibility": "SIDEWAYS"}, {"compatibility": 5}, {"compatibility": ""}):
        assert ask.code("PUT", "/config", nonsense) == 42203
        assert ask.code("PUT", "/config/s", nonsense) == 42203


def test_a_read_only_subject_answers_but_takes_nothing(ask: Caller) -> None:
    ask.register("s", record("a"))
    assert ask.ok("PUT", "/mode/s", {"mode": "READONLY"}) == {"mode": "READONLY"}
    assert ask.ok("GET", "/mode/s") == {"mode": "READONLY"}
    assert ask.register("s", record("a")) == 1
    assert ask.code("POST", "/subjects/s/versions", record("a", "b")) == 42205
    assert ask.code("DELETE", "/subjects/s") == 42205
    assert ask.code("DELETE", "/subjects/s/versions/1") == 42205
    assert ask.code("PUT", "/config/s", {"compatibility": "FULL"}) == 42205
    assert ask.ok("PUT", "/config", {"compatibility": "BACKWARD"})
    assert ask.ok("DELETE", "/mode/s") == {"mode": "READONLY"}
    assert ask.register("s", record("a", "b")) == 2


def test_an_unknown_mode_is_refused(ask: Caller) -> None:
    assert ask.code("PUT", "/mode", {"mode": "SLEEP"}) == 42204
    assert ask.code("PUT", "/mode/s", {"mode": 5}) == 42204
    assert ask.code("PUT", "/mode/s", {"mode": "FORWARD"}) == 42204
    assert ask.code("GET", "/mode/s") == 40409
    assert ask.code("DELETE", "/mode/s") == 40401
    assert ask.ok("GET", "/mode/s?defaultToGlobal=true") == {"mode": "READWRITE"}


def test_a_mode_is_answered_as_it_was_sent_and_taken_away_by_null_or_by_deletion(ask: Caller) -> None:
    assert ask.ok("PUT", "/mode", {"mode": "readonly"}) == {"mode": "readonly"}
    assert ask.ok("PUT", "/mode/s", {"mode": "READWRITE"}) == {"mode": "READWRITE"}
    assert ask.ok("GET", "/mode") == {"mode": "READONLY"}
    assert ask.code("PUT", "/config", {"compatibility": "FULL"}) == 42205
    assert ask.code("DELETE", "/config") == 42205
    assert ask.ok("PUT", "/config/s", {"compatibility": "FULL"})
    assert ask.ok("PUT", "/mode/s", {"mode": None}) == {"mode": None}
    assert ask.code("GET", "/mode/s") == 40409
    assert ask.code("DELETE", "/config/s") == 42205
    assert ask.ok("DELETE", "/mode/s?recursive=true") == {}
    ask.ok("PUT", "/mode/s", {"mode": "IMPORT"})
    assert ask.ok("DELETE", "/mode?recursive=true") == {"mode": "READONLY"}
    assert ask.ok("GET", "/mode/s?defaultToGlobal=true") == {"mode": "READWRITE"}
    assert ask.ok("PUT", "/mode", {}) == {}


def test_import_mode_begins_with_nothing_left_of_what_was_deleted(ask: Caller) -> None:
    ask.register("kind", record("a"))
    ask.register("s", body("int", [{"name": "x", "subject": "kind", "version": 1}]))
    ask.ok("DELETE", "/subjects/s")
    ask.ok("DELETE", "/subjects/kind")
    assert ask.code("PUT", "/mode/kind", {"mode": "IMPORT"}) == 42206
    ask.ok("PUT", "/mode/s", {"mode": "IMPORT"})
    assert ask.ok("GET", "/subjects?deleted=true") == ["kind"]


def test_import_mode_wants_an_id_and_takes_versions_in_any_order(ask: Caller) -> None:
    ask.ok("PUT", "/mode", {"mode": "IMPORT"})
    assert ask.code("POST", "/subjects/s/versions", record("a")) == 42205
    for number in (3, 1):
        ask.ok("POST", "/subjects/s/versions", record("abc"[:number]) | {"id": number, "version": number})
    assert ask.ok("GET", "/subjects/s/versions") == [1, 3]
    assert ask.ok("PUT", "/mode", {"mode": "IMPORT"})


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
    for wrong in (1, 3):
        assert ask.code("POST", "/subjects/s/versions", record("b") | {"version": wrong}) == 42201
    assert ask.ok("POST", "/subjects/s/versions", record("b") | {"version": 2})["version"] == 2
