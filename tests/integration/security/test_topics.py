"""The rights that docs/operations.md asks for auth-events topics, and what happens without them."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest

from commands import Result
from immersiverse.auth.events import catalog
from integration.security.conftest import Run
from integration.security.documented_rights import GUIDE
from integration.security.guarded import Guarded, User

(PLAN, APPLY) = (
    tuple(re.findall(r"[A-Z][A-Z_]+", found))
    for found in re.search(
        r"`topics plan` and `check` need (.*?) on each\stopic, and `apply` needs (.*?)\sas\swell",
        GUIDE.read_text(),
        re.DOTALL,
    ).groups()  # type: ignore[union-attr]  # the guide says so
)


class Topics:
    """Two topics in the place of the contract's, and a user who brings them to what is wanted."""

    def __init__(self, user: User, run: Run, settings: Path) -> None:
        self._user, self._run, self._settings = user, run, settings

    def may(self, *operations: str) -> None:
        for topic in (*catalog.TOPICS, catalog.DEAD_LETTER_TOPIC):
            for operation in operations:
                self._user.may(operation, topic)

    def want(self, partitions: int, days: int) -> None:
        defaults = f"{{partitions: {partitions}, replication: 1, retention.days: {days}}}"
        self._settings.write_text(f"defaults: {defaults}\n")

    def run(self, command: str, *more: str) -> Result:
        return self._run(self._user, "topics", command, "--settings", str(self._settings), *more)

    def apply(self) -> Result:
        return self.run("apply", "--yes", "--allow-repartition")


@pytest.fixture
def topics(user: User, auth_events: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Topics:
    name = f"topics-{uuid.uuid4()}"
    monkeypatch.setattr(catalog, "TOPICS", (f"{name}.user",))
    monkeypatch.setattr(catalog, "DEAD_LETTER_TOPIC", f"{name}.dlq")
    found = Topics(user, auth_events, tmp_path / "topics.yaml")
    found.want(1, 14)
    return found


def test_the_documented_rights_are_enough(topics: Topics) -> None:
    topics.may(*PLAN, *APPLY)
    assert topics.apply().code == 0
    topics.want(2, 15)
    assert topics.run("check").code == 1
    assert topics.apply().code == 0
    assert topics.run("check").code == 0


@pytest.mark.parametrize("missing", PLAN)
def test_without_a_right_nothing_is_planned(guarded: Guarded, topics: Topics, missing: str) -> None:
    topics.may(*(right for right in PLAN if right != missing))
    for name in (*catalog.TOPICS, catalog.DEAD_LETTER_TOPIC):
        guarded.topic(name)
    result = topics.run("plan")
    assert (result.code, result.out) == (1, "")
    assert "TOPIC_AUTHORIZATION_FAILED" in result.err


@pytest.mark.parametrize("missing", APPLY)
def test_without_a_right_a_change_is_refused_in_one_line(
    guarded: Guarded, topics: Topics, missing: str
) -> None:
    topics.may(*PLAN, *(right for right in APPLY if right != missing))
    if missing != "CREATE":
        for name in (*catalog.TOPICS, catalog.DEAD_LETTER_TOPIC):
            guarded.topic(name)
        topics.want(2, 15)
    result = topics.apply()
    assert result.code == 1
    assert "TOPIC_AUTHORIZATION_FAILED" in result.err.splitlines()[-1]
