"""Every recorded release is as it was, is read by today's code, and reads what today's code writes."""

from __future__ import annotations

import base64

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from golden.corpus.cases import cases
from golden.corpus.expectation import EarlierVersion
from golden.corpus.forms import Schemas, written
from golden.corpus.reading import misread
from golden.corpus.recording import contract_descriptors
from golden.corpus.release import releases
from golden.corpus.released_code import installed
from immersiverse.auth.events.catalog import CONTRACT_FILE
from immersiverse.auth.events.serialization.avro import schema_text
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

RELEASES = releases()
NAMES = [release.version for release in RELEASES]
NOW = Schemas(CONTRACT_FILE, schema_text())


@pytest.mark.parametrize("release", RELEASES, ids=NAMES)
def test_a_release_is_never_edited(release):
    assert release.faults() == []


@pytest.mark.parametrize("release", RELEASES, ids=NAMES)
def test_todays_code_reads_what_a_release_wrote(release):
    assert list(release.cases())
    assert misread(release) == []


@pytest.mark.parametrize("release", RELEASES, ids=NAMES)
def test_a_release_reads_what_todays_code_writes(release):
    eyes = EarlierVersion(release.descriptors)
    events = [case.event for case in cases()]
    forms = [written(event, NOW) for event in events]
    code = installed(release.wheel)
    answers = {
        name: code.read([form.values[name] for form in forms], NOW) for name in ("protobuf", "json", "avro")
    }
    for place, event in enumerate(events):
        for name, answered in answers.items():
            assert_seen(answered[place], event, eyes.sees(event, name))
        if "bytes" in answers["protobuf"][place]:  # what the release does not know, it hands on
            again = base64.b64decode(answers["protobuf"][place]["bytes"])
            assert AuthEvent.FromString(again) == event


def assert_seen(answer, event, expected):
    if expected is not None:
        assert answer.get("event") == expected
        return
    payload_field = event.WhichOneof("payload")
    assert answer.get("unknown") == getattr(event, payload_field).DESCRIPTOR.name
    assert answer["envelope"]["eventId"] == event.event_id


def test_the_corpus_holds_every_event_in_every_way():
    found = {}
    for case in cases():
        found.setdefault(case.event_type, []).append(case)
    assert list(found) == [message.name for message in CONTRACT_FILE.message_type if message.name in found]
    for event_type, of_type in found.items():
        names = [case.name for case in of_type]
        assert {"full", "least", "most"} < set(names), event_type
        assert any(name.startswith("minimal-") for name in names)
        assert len({case.event.SerializeToString() for case in of_type}) == len(of_type)
        assert len({case.event.event_id for case in of_type}) == len(of_type)


def test_the_corpus_names_every_value_of_every_enum():
    text = "".join(written(case.event, NOW).json.decode() for case in cases())
    values = [value.name for enum in CONTRACT_FILE.enum_type for value in enum.value if value.number]
    assert [name for name in values if f'"{name}"' not in text] == []


def test_the_corpus_is_the_same_whenever_it_is_made():
    assert list(cases()) == list(cases())


def test_the_descriptors_hold_all_that_the_contract_imports(tmp_path):
    recorded = FileDescriptorSet.FromString(contract_descriptors(tmp_path).read_bytes())
    files = [file.name for file in recorded.file]
    assert files[-1] == CONTRACT_FILE.name
    assert set(CONTRACT_FILE.dependency) < set(files)
