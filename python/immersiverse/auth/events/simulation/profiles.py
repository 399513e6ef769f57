"""What users change about themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.field_mask_pb2 import FieldMask

from immersiverse.auth.events.simulation.people import email_of, new_username
from immersiverse.auth.events.simulation.places import COUNTRIES
from immersiverse.auth.events.v1.events_pb2 import EmailVerified, UserUpdated

if TYPE_CHECKING:
    from immersiverse.auth.events.simulation.people import User
    from immersiverse.auth.events.simulation.world import World

_LANGUAGE, _NAME = 0.2, 0.5


def confirm_address(world: World, user: User) -> None:
    """Prove that the address is theirs."""
    user.verified = True
    _say_verified(world, user)
    _update(world, user, email_verified=True)


def change_something(world: World, user: User) -> None:
    """Change the name, the address, if there is one, or the language."""
    if world.chance(_LANGUAGE):
        user.locale = world.random.choice(COUNTRIES).locale
        _update(world, user, locale=user.locale)
    elif world.chance(_NAME) or not user.email:
        user.username = new_username(world.random)
        _update(world, user, username=user.username)
    else:
        user.email, user.verified = email_of(new_username(world.random)), True
        _say_verified(world, user)
        _update(world, user, email=user.email, email_verified=True)


def _say_verified(world: World, user: User) -> None:
    at = world.moment()
    world.tell(at, EmailVerified(user_id=user.user_id, email=user.email, verified_at=at), user)


def _update(world: World, user: User, **changes: str | bool) -> None:
    at = world.moment()
    payload = UserUpdated(
        user_id=user.user_id,
        changed_fields=FieldMask(paths=list(changes)),
        updated_at=at,
        **changes,  # type: ignore[arg-type]  # names and values of the message's own fields
    )
    world.tell(at, payload, user)
