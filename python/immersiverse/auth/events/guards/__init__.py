"""What keeps a handler from acting twice on one event, or on one that a later event made stale."""

from immersiverse.auth.events.guards.guard import Admission as Admission
from immersiverse.auth.events.guards.guard import Guard as Guard
from immersiverse.auth.events.guards.guard import Verdict as Verdict
from immersiverse.auth.events.guards.memory import MemoryGuard as MemoryGuard
