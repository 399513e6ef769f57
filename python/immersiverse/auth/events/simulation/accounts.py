"""What happens to an account, whoever does it: statuses, links, the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.field_mask_pb2 import FieldMask

from immersiverse.auth.events.simulation.sessions import log_out_everywhere
from immersiverse.auth.events.v1.events_pb2 import (
    AccountStatus,
    Actor,
    ActorKind,
    DisconnectReason,
    LogoutReason,
    PlatformConnected,
    PlatformDisconnected,
    UserDeleted,
    UserDeletionReason,
    UserUpdated,
)

if TYPE_CHECKING:
    from immersiverse.auth.events.simulation.people import User
    from immersiverse.auth.events.simulation.world import World

SYSTEM = Actor(kind=ActorKind.ACTOR_KIND_SYSTEM, id="login-protection")
ACTIVE = AccountStatus.ACCOUNT_STATUS_ACTIVE
LOCKED = AccountStatus.ACCOUNT_STATUS_LOCKED
SUSPENDED = AccountStatus.ACCOUNT_STATUS_SUSPENDED


def set_status(world: World, user: User, status: AccountStatus.ValueType, actor: Actor | None = None) -> None:
    """Lock, suspend or open an account."""
    user.status = status
    if status == ACTIVE:
        user.failures = 0
    at = world.moment()
    changed = FieldMask(paths=["status"])
    world.tell(
        at,
        UserUpdated(user_id=user.user_id, changed_fields=changed, updated_at=at, status=status),
        user,
        actor,
    )


def link(world: World, user: User, platform: str) -> None:
    """Link an account of a platform."""
    account = f"{platform}-{world.random.getrandbits(40):011x}"
    user.platforms[platform] = account
    at = world.moment()
    payload = PlatformConnected(
        user_id=user.user_id,
        platform=platform,
        platform_user_id=account,
        connected_at=at,
        scopes=["identity"] if world.chance(0.6) else ["identity", "friends"],
    )
    world.tell(at, payload, user)


def unlink(world: World, user: User, platform: str, reason: DisconnectReason.ValueType) -> None:
    """End the link to a platform."""
    account = user.platforms.pop(platform)
    at = world.moment()
    payload = PlatformDisconnected(
        user_id=user.user_id, platform=platform, platform_user_id=account, disconnected_at=at, reason=reason
    )
    world.tell(at, payload, user)


def delete(
    world: World, user: User, reason: UserDeletionReason.ValueType, actor: Actor | None = None
) -> None:
    """Delete a user, with everything that ends before."""
    log_out_everywhere(world, user, LogoutReason.LOGOUT_REASON_ACCOUNT_CLOSED, actor)
    for platform in tuple(user.platforms):
        unlink(world, user, platform, DisconnectReason.DISCONNECT_REASON_ACCOUNT_CLOSED)
    user.gone = True
    at = world.moment()
    payload = UserDeleted(
        user_id=user.user_id,
        deleted_at=at,
        reason=reason,
        erasure_required=user.region.erasure
        and reason == UserDeletionReason.USER_DELETION_REASON_USER_REQUEST,
    )
    world.tell(at, payload, user, actor)
