"""What a change of the contract does to those who read it as JSON or Avro: the derived schemas, compared.

They follow from the descriptors of a version, so any two versions can be compared, not just the installed.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from google.protobuf.descriptor_database import DescriptorDatabase
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from immersiverse.auth.events.compatibility import avro, json_schema
from immersiverse.auth.events.compatibility.wellknown import well_known_files
from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.serialization.avro_schema import ENVELOPE, PAYLOAD, record_schema
from immersiverse.auth.events.serialization.json_schema import event_schema
from immersiverse.auth.events.v1 import options_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from google.protobuf.descriptor import Descriptor

    from immersiverse.auth.events.compatibility.changes import Change
    from immersiverse.auth.events.compatibility.levels import Level
    from immersiverse.auth.events.compatibility.schema import Schema

_OPTIONS = FileDescriptorProto.FromString(options_pb2.DESCRIPTOR.serialized_pb)


def check_json(new: Schema, olds: Sequence[Schema], *, level: Level) -> list[Change]:
    """List what forbids a new version of the contract to those who go by its JSON Schemas.

    Open objects may gain optional properties: receivers of this contract pass over what they do not know, so
    nobody sends anything under a name that is free.

    Args:
        new: the contract file that is to be published, with what it imports.
        olds: the history, oldest first.
        level: which versions are asked, and in which direction.

    Returns:
        The incompatible changes of events that both versions have; their paths begin with the event's name.

    Raises:
        InvalidSchema: a version contradicts itself.
    """
    added = _events(new)
    return [
        replace(change, version=version)
        for version in level.versions(len(olds))
        for change in _changes(_events(olds[version]), added, level)
    ]


def check_avro(new: Schema, olds: Sequence[Schema], *, level: Level) -> list[Change]:
    """The same for those who read its Avro schema, by Avro's rules of schema resolution.

    Raises:
        InvalidSchema: a version contradicts itself.
        MissingExtra: the ``avro`` extra is not installed.
    """
    texts = [avro_text(schema) for schema in (new, *olds)]
    return avro.check(texts[0], texts[1:], level=level) if all(texts) else []


def _changes(old: dict[str, str], new: dict[str, str], level: Level) -> Iterator[Change]:
    for name in (name for name in new if name in old):
        sides = json_schema.parse(new[name]), json_schema.parse(old[name])
        found = json_schema.check(sides[0], sides[1:], level=level, policy=json_schema.Policy.LENIENT)
        yield from (replace(change, path=f"#/{name}{change.path.removeprefix('#')}") for change in found)


def _events(schema: Schema) -> dict[str, str]:
    """The JSON Schemas of a version's events by their names; none if it is another contract."""
    envelope = _envelope(schema)
    if envelope is None:
        return {}
    arms = envelope.oneofs_by_name[PAYLOAD].fields
    return {arm.message_type.name: json.dumps(event_schema(arm)) for arm in arms if arm.message_type}


def avro_text(schema: Schema) -> str:
    """A version's Avro schema as it would be registered; empty if it is another contract."""
    envelope = _envelope(schema)
    return json.dumps(record_schema(envelope), separators=(",", ":")) if envelope else ""


def _envelope(schema: Schema) -> Descriptor | None:
    files = {file.name: file for file in (*schema.dependencies.values(), schema.root)}
    files.setdefault(options_pb2.DESCRIPTOR.name, _OPTIONS)
    imports = [path for file in files.values() for path in file.dependency]
    known = {file.name: file for file in well_known_files(imports)}
    database = DescriptorDatabase()
    for file in (known | files).values():
        database.Add(file)
    try:
        envelope = DescriptorPool(database).FindMessageTypeByName(ENVELOPE)
    except KeyError:
        return None
    except TypeError as error:
        raise InvalidSchema(f"{schema.root.name} contradicts itself: {error}") from error
    return envelope if PAYLOAD in envelope.oneofs_by_name else None
