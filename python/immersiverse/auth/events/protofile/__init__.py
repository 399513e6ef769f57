"""The text of a .proto file and its descriptor, each from the other, without protoc."""

from __future__ import annotations

from immersiverse.auth.events.protofile._canonical import canonical
from immersiverse.auth.events.protofile._descriptor import parse_descriptor
from immersiverse.auth.events.protofile._parse import parse_file
from immersiverse.auth.events.protofile._print_file import print_file
from immersiverse.auth.events.protofile._wellknown import is_well_known, well_known

__all__ = ["canonical", "is_well_known", "parse_descriptor", "parse_file", "print_file", "well_known"]
