"""The embedded registry and Apicurio in the same conversation: where they differ, and why."""

from __future__ import annotations

import json
import urllib.request

import pytest

from immersiverse.auth.events.testing.registry import EmbeddedRegistry
from integration.interoperability.conversation import STEPS, Outcome, hold

BARE = "Confluent's newer registries say version and GUID of what was registered, Apicurio the id alone"
STATUS = "the code is the same; its first digits are the HTTP status with Confluent, not with Apicurio"

DIFFERENCES = {
    "register": BARE,
    "register again": BARE,
    "register a wider one": BARE,
    "register a Protobuf file": BARE,
    "register its text in another layout": BARE,
    "register a wider Protobuf file": BARE,
    "get a version that is none": "Apicurio does not tell a malformed version from a missing one",
    "get an unset level": "Apicurio answers NONE for a subject that follows the global level",
    "delete a version for good at once": STATUS,
    "delete a version twice": STATUS,
    "delete a subject": "Apicurio lists versions that had been deleted before, too",
    "ask for associations": "Apicurio has none; clients take its 404 and our empty list alike",
}


@pytest.fixture(scope="module")
def ours() -> dict[str, Outcome]:
    with EmbeddedRegistry() as registry:
        level = json.dumps({"compatibility": "BACKWARD_TRANSITIVE"}).encode()
        request = urllib.request.Request(
            f"{registry.url}/config", level, {"Content-Type": "application/json"}, method="PUT"
        )
        urllib.request.urlopen(request).close()
        return hold(registry.url)


@pytest.fixture(scope="module")
def theirs(apicurio: str) -> dict[str, Outcome]:
    return hold(apicurio)


@pytest.mark.parametrize("name", [step.name for step in STEPS if step.name not in DIFFERENCES])
def test_both_registries_answer_alike(
    ours: dict[str, Outcome], theirs: dict[str, Outcome], name: str
) -> None:
    assert ours[name] == theirs[name]


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_known_difference_is_still_one(
    ours: dict[str, Outcome], theirs: dict[str, Outcome], name: str
) -> None:
    assert ours[name] != theirs[name], f"no longer: {DIFFERENCES[name]}"
