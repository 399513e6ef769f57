"""Names that follow from other names: JSON names, map entries, synthetic oneofs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FULL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")


def is_identifier(name: str) -> bool:
    """Whether a name can be declared."""
    return _IDENTIFIER.fullmatch(name) is not None


def is_full_name(name: str) -> bool:
    """Whether a name is identifiers joined by dots, without a leading one."""
    return _FULL_NAME.fullmatch(name) is not None


def is_json_name(name: str) -> bool:
    """Whether a field may choose this name: names in brackets are those of extensions."""
    return "\0" not in name and not (name.startswith("[") and name.endswith("]"))


def join(scope: str, name: str) -> str:
    """The full name of what is declared in a scope; the scope of a file without package is empty."""
    return f"{scope}.{name}" if scope else name


def json_name(field_name: str) -> str:
    """The lowerCamelCase name that a field has in JSON unless it says otherwise."""
    if "_" not in field_name:
        return field_name
    first, *rest = field_name.split("_")
    return first + "".join(_capitalized(part) for part in rest)


def map_entry_name(field_name: str) -> str:
    """The name of the message that holds one entry of a map field."""
    return "".join(_capitalized(part) for part in field_name.split("_")) + "Entry"


def synthetic_oneof_names(optional_fields: Iterable[str], taken: set[str]) -> list[str]:
    """The names of the oneofs that stand for proto3 ``optional`` fields; they avoid the names taken."""
    names = []
    for field in optional_fields:
        name = field if field.startswith("_") else f"_{field}"
        while name in taken:
            name = f"X{name}"
        taken.add(name)
        names.append(name)
    return names


def _capitalized(part: str) -> str:
    return part[:1].upper() + part[1:]
