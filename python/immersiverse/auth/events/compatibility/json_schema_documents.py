"""JSON Schemas as documents, and where a reference in one leads.

Source: JSON Schema 2020-12 core, sections 8.2.3 and 8.2.4; RFC 6901 for pointers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from immersiverse.auth.events.compatibility.json_schema_validity import fault, within
from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MISSING = object()
"""What stands where a keyword does not."""


@dataclass(frozen=True, eq=False)
class JsonSchema:
    """One version of a JSON Schema, as a registry holds it.

    Attributes:
        root: the schema, an object or a truth value.
        imports: the documents that it refers to, directly or not, by the names that references have for them.
    """

    root: Any
    imports: Mapping[str, Any] = field(default_factory=dict)


class Place(NamedTuple):
    """A schema where it stands: relative to its document a reference in it is understood."""

    schema: JsonSchema
    document: str
    value: Any

    def child(self, value: Any) -> Place:
        """A schema that stands within this one."""
        return self._replace(value=value)

    def target(self, reference: str) -> Place | None:
        """What a reference here leads to; None if it leads out of what is at hand, or by an anchor."""
        name, _, pointer = reference.partition("#")
        document = name.removeprefix("./") or self.document
        root = self.schema.imports.get(document, MISSING) if document else self.schema.root
        value = _pointed_at(root, unquote(pointer))
        return None if value is MISSING else Place(self.schema, document, value)


def parse(text: str, imports: Mapping[str, str] | None = None) -> JsonSchema:
    """Read a JSON Schema.

    Args:
        text: JSON.
        imports: the documents that it refers to, by the names that references have for them.

    Raises:
        InvalidSchema: a text is not a JSON Schema, or a reference within it leads nowhere.
    """
    schema = JsonSchema(_read(text), {name: _read(content) for name, content in (imports or {}).items()})
    try:
        for name, root in {**schema.imports, "": schema.root}.items():
            _refuse_faults(Place(schema, name, root))
    except RecursionError as error:
        raise InvalidSchema("not a JSON Schema: it is nested too deeply") from error
    return schema


def canonical(value: Any) -> str:
    """Text that is the same for what JSON Schema takes for equal: 1 and 1.0 are, 1 and true are not."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _read(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise InvalidSchema(f"not a JSON Schema: it is not JSON: {error}") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is beyond every double")
    return number


def _refuse_faults(root: Place) -> None:
    """Look at all that is reached from a document's root, in it and in others."""
    seen = set()
    todo = [root]
    while todo:
        place = todo.pop()
        if id(place.value) in seen:
            continue
        seen.add(id(place.value))
        if found := fault(place.value, "#/"):
            raise InvalidSchema(f"not a JSON Schema: {found}")
        todo += _targets(place)


def _targets(place: Place) -> Iterator[Place]:
    for reference in references(place.value):
        target = place.target(reference)
        if target is not None:
            yield target
        elif reference.startswith("#/"):
            raise InvalidSchema(f"not a JSON Schema: the reference {reference!r} leads nowhere")


def references(value: Any) -> list[str]:
    """Every ``$ref`` in a schema, at any depth."""
    return [schema["$ref"] for schema in within(value) if "$ref" in schema]


def _pointed_at(value: Any, pointer: str) -> Any:
    if pointer and not pointer.startswith("/"):
        return MISSING  # an anchor
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and key.isascii() and key.isdigit():
            value = dict(enumerate(value)).get(int(key[:9]), MISSING)
        else:
            value = value.get(key, MISSING) if isinstance(value, dict) else MISSING
    return value if isinstance(value, dict | bool) else MISSING
