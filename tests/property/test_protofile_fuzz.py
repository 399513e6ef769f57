"""Whatever the text or the bytes, the answer is a descriptor or InvalidSchema."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from hypothesis import given
from hypothesis import strategies as st

from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.protofile import canonical, parse_descriptor, parse_file, print_file

SAMPLES = Path(__file__).parents[1] / "unit" / "protofile" / "samples"
TEXTS = {path.name: path.read_text() for path in sorted(SAMPLES.glob("*.proto"))}
ORDER = ["option_definitions.proto", "imported.proto", "imports_publicly.proto"]
PIECES = [
    *'{}[]()<>;:,.=-+"\\/@#\0\n',
    *("message", "optional", "oneof", "map<", "group G = 1 {", "reserved", "to max", "extend", "option"),
    *("default = ", "inf", "nan", "0x", "1e999", "9" * 40, "/*", "//", "\\xff", "\ud800", "é"),
    *("import public", "returns (stream", "{a:[{", "[x.y/z.w]:"),
]
MUTATIONS_OF_EACH = 400


@pytest.fixture(scope="module")
def dependencies() -> dict[str, FileDescriptorProto]:
    files: dict[str, FileDescriptorProto] = {}
    for name in ORDER:
        files[name] = parse_file(TEXTS[name], name=name, dependencies=files)
    return files


def mutated(text, chance):
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice([0, 0, 1, 3, 30]))
        other = chance.randrange(len(text) + 1)
        piece = chance.choice([*PIECES, text[other : other + chance.randint(1, 60)]])
        text = text[:start] + piece + text[end:]
    return text


@pytest.mark.parametrize("name", TEXTS)
def test_a_mutated_text_is_parsed_or_refused(name, dependencies):
    chance = random.Random(name)
    for _ in range(MUTATIONS_OF_EACH):
        text = mutated(TEXTS[name], chance)
        try:
            file = parse_file(text, dependencies=dependencies)
        except InvalidSchema:
            continue
        printed = print_file(file, extensions=dependencies.values())
        again = parse_file(printed, dependencies=dependencies)
        definitions = dependencies.values()
        assert canonical(again, extensions=definitions) == canonical(file, extensions=definitions)


@pytest.mark.parametrize("name", TEXTS)
def test_a_mutated_descriptor_is_used_or_refused(name, dependencies):
    chance = random.Random(name)
    original = parse_file(TEXTS[name], name=name, dependencies=dependencies).SerializeToString()
    for _ in range(MUTATIONS_OF_EACH):
        data = bytearray(original)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        for use in (canonical, print_file):
            with suppress(InvalidSchema):
                use(parse_descriptor(bytes(data)))


@given(st.text())
def test_any_text_is_parsed_or_refused(text):
    with suppress(InvalidSchema):
        parse_file(text)


@given(st.binary() | st.text())
def test_any_data_is_a_descriptor_or_refused(data):
    with suppress(InvalidSchema):
        print_file(parse_descriptor(data))


def test_cost_grows_with_the_text_and_no_faster():
    def seconds(count):
        body = "".join(
            f"message M{i} {{ string a = 1; M{i} b = 2 [deprecated = true]; map<string, M0> c = 3; }}"
            for i in range(count)
        )
        start = time.process_time()
        parse_file(f'syntax = "proto3"; {body}')
        return time.process_time() - start

    seconds(50)
    assert seconds(4_000) < 8 * 3 * max(seconds(500), 0.01)
