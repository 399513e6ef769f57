"""What the strict rules let pass, every reader can read: proved on single edits of the contract.

The judges are other people's: jsonschema validates stored JSON messages against the JSON Schemas derived from
the edited contract, and fastavro reads stored Avro with the Avro schema derived from it. A normal run takes a
sample; `--every-edit` takes all of them, which lasts some minutes.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from random import Random
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_reader
from google.protobuf import descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from jsonschema import Draft202012Validator

from contract_edits import edited, edits
from golden.corpus.cases import cases
from golden.corpus.forms import Schemas, written
from immersiverse.auth.events.catalog import CONTRACT_FILE
from immersiverse.auth.events.compatibility_level import Level
from immersiverse.auth.events.schema_checks import avro
from immersiverse.auth.events.schema_checks.kinds import Rules
from immersiverse.auth.events.schema_checks.protobuf.comparison import compare
from immersiverse.auth.events.schema_checks.version import ProtoSchema
from immersiverse.auth.events.serialization.avro.schema import record_schema
from immersiverse.auth.events.serialization.json.schema import event_schema
from immersiverse.auth.events.v1 import options_pb2
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

OPTIONS = FileDescriptorProto.FromString(options_pb2.DESCRIPTOR.serialized_pb)
SAMPLE = 300
AVRO_PREFIX = 5  # the magic byte and the schema id


@dataclass(frozen=True)
class Contract:
    """A version of the contract, and the schemas that follow from it."""

    file: FileDescriptorProto

    @property
    def schema(self) -> ProtoSchema:
        """The version as the rules take it."""
        return ProtoSchema(self.file, {OPTIONS.name: OPTIONS})

    @cached_property
    def passes(self) -> bool:
        """Whether the strict rules let it follow today's contract."""
        return all(change.compatible for change in compare(OLD.schema, self.schema, rules=Rules.STRICT))

    @cached_property
    def envelope(self) -> Descriptor | None:
        """The descriptor of the envelope; None if there is none by that name any more."""
        pool = DescriptorPool()
        for known in (descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2, options_pb2):
            pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
        pool.AddSerializedFile(self.file.SerializeToString())
        try:
            return pool.FindMessageTypeByName(AuthEvent.DESCRIPTOR.full_name)
        except KeyError:
            return None

    @cached_property
    def json_schemas(self) -> dict[str, Any]:
        """The JSON Schema of each event by its name."""
        if self.envelope is None:
            return {}
        fields = self.envelope.oneofs_by_name["payload"].fields
        return {field.message_type.name: event_schema(field) for field in fields if field.message_type}

    @cached_property
    def avro(self) -> str:
        """The Avro schema; empty without an envelope."""
        return json.dumps(record_schema(self.envelope)) if self.envelope else ""


OLD = Contract(CONTRACT_FILE)


class Samples:
    """Events of every type and extreme, as today's contract writes them."""

    def __init__(self) -> None:
        schemas = Schemas(CONTRACT_FILE, OLD.avro)
        self._json: dict[str, list[Any]] = {}
        self._avro: list[bytes] = []
        self._written = parse_schema(json.loads(OLD.avro))
        for case in cases():
            forms = written(case.event, schemas)
            self._json.setdefault(case.event_type, []).append(json.loads(forms.json))
            self._avro.append(forms.avro[AVRO_PREFIX:])

    def are_valid_json(self, new: Contract) -> bool:
        """Whether jsonschema takes each by the new contract's JSON Schemas."""
        return all(
            name in new.json_schemas and self.validates(name, new.json_schemas[name])
            for name in self._json
            if OLD.json_schemas[name] != new.json_schemas.get(name)
        )

    def validates(self, name: str, schema: Any) -> bool:
        """Whether jsonschema takes each of an event by a JSON Schema."""
        validator = Draft202012Validator(schema)
        return all(validator.is_valid(document) for document in self._json[name])

    def are_read_as_avro(self, new: Contract) -> bool:
        """Whether fastavro reads each with the new contract's Avro schema."""
        if new.avro == OLD.avro:
            return True
        try:
            reader = parse_schema(json.loads(new.avro))
            for stored in self._avro:
                schemaless_reader(BytesIO(stored), self._written, reader)
        except Exception:  # noqa: BLE001 - whatever it raises, it did not read
            return False
        return True


@pytest.fixture(scope="module")
def samples() -> Samples:
    return Samples()


@pytest.fixture(scope="module")
def chosen(request: pytest.FixtureRequest) -> dict[str, Contract]:
    """The edited contracts that are valid, by the names of their edits."""
    every = edits()
    names = sorted(every)
    if not request.config.getoption("every_edit"):
        names = Random(20_260_601).sample(names, SAMPLE)
    contracts = {name: Contract(edited(every[name])) for name in names}
    valid = {name: contract for name, contract in contracts.items() if is_valid(contract)}
    assert len(valid) > len(names) * 0.9
    return valid


def is_valid(contract: Contract) -> bool:
    try:
        contract.envelope  # noqa: B018 - which is made of the descriptors
    except TypeError:
        return False
    return True


def avro_passes(new: Contract) -> bool:
    return bool(new.avro) and not avro.check(new.avro, [OLD.avro], level=Level.BACKWARD)


def test_samples_are_read_by_the_contract_that_wrote_them(samples: Samples) -> None:
    assert samples.are_read_as_avro(OLD)
    assert all(samples.validates(name, schema) for name, schema in OLD.json_schemas.items())


def test_what_the_strict_rules_let_pass_every_reader_can_read(
    chosen: dict[str, Contract], samples: Samples
) -> None:
    passed = {name: new for name, new in chosen.items() if new.passes}
    assert len(passed) > len(chosen) / 10
    assert [name for name, new in passed.items() if not samples.are_valid_json(new)] == []
    assert [name for name, new in passed.items() if not samples.are_read_as_avro(new)] == []
    assert [name for name, new in passed.items() if not avro_passes(new)] == []


def test_the_judges_refuse_what_harms_readers(chosen: dict[str, Contract], samples: Samples) -> None:
    refused = [new for new in chosen.values() if not new.passes]
    counts = Counter(
        judge
        for new in refused
        for judge, reads in (("json", samples.are_valid_json(new)), ("avro", samples.are_read_as_avro(new)))
        if not reads
    )
    assert counts["json"] > len(refused) / 20
    assert counts["avro"] > len(refused) / 20


def test_what_avros_rules_let_pass_fastavro_reads(chosen: dict[str, Contract], samples: Samples) -> None:
    passed = {name: new for name, new in chosen.items() if avro_passes(new)}
    assert [name for name, new in passed.items() if not samples.are_read_as_avro(new)] == []
