"""The rights in docs/operations.md are enough, and none of them is too many."""

from __future__ import annotations

import pytest

from integration.security.conftest import Run
from integration.security.documented_rights import Right, Scene, documented_rights
from integration.security.guarded import Guarded, User
from integration.security.work import WORK, Desk
from unit.admin.samples import dead_letter_headers

EACH_NEEDED = [
    pytest.param(who, right, id=f"{who}: {right}") for who in WORK for right in documented_rights(who)
]


@pytest.fixture
def desk(  # noqa: PLR0913, PLR0917 - fixtures
    guarded: Guarded,
    user: User,
    dead_letter_topic: str,
    group: str,
    auth_events: Run,
    caplog: pytest.LogCaptureFixture,
) -> Desk:
    """A user's place of work; the group has been here before, and a dead letter waits."""
    topic = guarded.contract_topic("auth.events.user")
    guarded.commit(group, topic)
    guarded.put(dead_letter_topic, b"{}", dead_letter_headers(topic))
    # Who may write nowhere at all is refused as a producer, before any topic is asked.
    user.may("WRITE", guarded.topic())
    scene = Scene(guarded, user, topic, dead_letter_topic, group)
    return Desk(scene, lambda *arguments, stdin="": auth_events(user, *arguments, stdin=stdin), caplog)


@pytest.mark.parametrize("who", WORK)
def test_the_documented_rights_are_enough(desk: Desk, who: str) -> None:
    desk.scene.give(*documented_rights(who))
    assert WORK[who](desk)


@pytest.mark.parametrize(("who", "missing"), EACH_NEEDED)
def test_without_any_one_of_the_documented_rights_it_does_not_work(
    desk: Desk, who: str, missing: Right
) -> None:
    desk.scene.give(*(right for right in documented_rights(who) if right != missing))
    assert not WORK[who](desk)
