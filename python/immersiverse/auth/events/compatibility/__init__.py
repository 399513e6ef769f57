"""What a change of the contract would do to every producer and consumer: pure verdicts over descriptors.

``compare`` lists every change between two versions; ``check`` lists those that a compatibility level forbids
against a history of versions. ``avro.check`` does the same for Avro schemas. Nothing here reads a file or a
network.
"""

from __future__ import annotations

from immersiverse.auth.events.compatibility.audiences import Audience
from immersiverse.auth.events.compatibility.changes import Change, Direction
from immersiverse.auth.events.compatibility.comparison import compare
from immersiverse.auth.events.compatibility.kinds import ChangeKind
from immersiverse.auth.events.compatibility.levels import Level, check
from immersiverse.auth.events.compatibility.rules import Rules
from immersiverse.auth.events.compatibility.schema import Schema

__all__ = ["Audience", "Change", "ChangeKind", "Direction", "Level", "Rules", "Schema", "check", "compare"]
