"""The further ways in which users prove who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.v1.events_pb2 import AuthenticationMethod, MfaEnrolled, MfaRemoved

if TYPE_CHECKING:
    from immersiverse.auth.events.simulation.people import User
    from immersiverse.auth.events.simulation.world import World

_FACTORS = (
    AuthenticationMethod.AUTHENTICATION_METHOD_TOTP,
    AuthenticationMethod.AUTHENTICATION_METHOD_SMS_CODE,
)
_FACTOR_WEIGHTS = (70, 30)


def enrol(world: World, user: User) -> None:
    """Add a factor, unless the user has it."""
    method = world.random.choices(_FACTORS, _FACTOR_WEIGHTS)[0]
    if method in user.factors:
        return
    credential = user.factors[method] = world.token()
    at = world.moment()
    payload = MfaEnrolled(user_id=user.user_id, method=method, credential_id=credential, enrolled_at=at)
    world.tell(at, payload, user)


def remove(world: World, user: User) -> None:
    """Remove the factor that was added last."""
    method, credential = user.factors.popitem()
    at = world.moment()
    payload = MfaRemoved(
        user_id=user.user_id,
        method=method,
        credential_id=credential,
        removed_at=at,
        was_last=not user.factors,
    )
    world.tell(at, payload, user)
