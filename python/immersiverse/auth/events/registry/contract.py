"""The contract's schemas as a registry takes them: canonical text, or descriptors byte for byte."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal

from immersiverse.auth.events.catalog import CONTRACT_FILE, OPTIONS_FILE
from immersiverse.auth.events.descriptors import is_base64, parse_descriptor
from immersiverse.auth.events.serialization.avro import schema_text

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from immersiverse.auth.events.serialization.schemas import SchemaType

Form = Literal["text", "descriptor"]
"""Of a Protobuf schema: its canonical ``.proto`` text, or base64 of its FileDescriptorProto.

The latter is what Confluent's Python and Node serializers look up.
"""

FORMS: Final[tuple[Form, ...]] = ("text", "descriptor")


@dataclass(frozen=True, slots=True)
class ContractSchema:
    """A schema of this version of the contract.

    Attributes:
        schema_type: its type by the registry's name.
        text: what is sent to the registry.
        references: the files that it imports, by path, each a schema of its own.
    """

    schema_type: SchemaType
    text: str
    references: tuple[tuple[str, ContractSchema], ...] = ()


@cache
def contract_schema(schema_type: SchemaType, form: Form = "text") -> ContractSchema:
    """The contract as a schema of a type.

    Raises:
        ValueError: if the contract has no schema of that type.
    """
    if schema_type == "PROTOBUF":
        options = ContractSchema("PROTOBUF", _protobuf_text(OPTIONS_FILE, form))
        text = _protobuf_text(CONTRACT_FILE, form)
        return ContractSchema("PROTOBUF", text, ((OPTIONS_FILE.name, options),))
    if schema_type == "AVRO":
        return ContractSchema("AVRO", schema_text())
    raise ValueError(f"the contract has no {schema_type} schema")


def descriptor_of(schema: str) -> FileDescriptorProto | None:
    """The descriptor of a Protobuf schema that needs no compiler: base64 of it, or a text of this contract.

    Raises:
        InvalidSchema: base64 of something else.
    """
    if is_base64(schema):
        return parse_descriptor(schema)
    contract = contract_schema("PROTOBUF")
    options = contract.references[0][1]
    # Registries may leave white space around a text out.
    own = {contract.text.strip(): CONTRACT_FILE, options.text.strip(): OPTIONS_FILE}
    return own.get(schema.strip())


def _protobuf_text(file: FileDescriptorProto, form: Form) -> str:
    if form == "descriptor":
        return base64.b64encode(file.SerializeToString()).decode("ascii")
    # Without comments and with a layout of its own, so that editing those makes no new version: see
    # scripts/generate, which writes it.
    name = f"{file.name.rpartition('/')[2]}.txt"
    return files("immersiverse.auth.events").joinpath("schemas", name).read_text("utf-8")
