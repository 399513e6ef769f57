"""The .proto files that others publish: the proof that does not depend on what we thought of."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events.protofile import canonical, parse_file, print_file

SITE = Path(sysconfig.get_paths()["purelib"])
ROOTS = [SITE / "grpc_tools" / "_proto", SITE]
CONTRACT = Path(__file__).parents[3] / "proto"
FILES = {
    str(path.relative_to(root)): path
    for root, folder in [(ROOTS[0], "google"), (SITE, "google"), (CONTRACT, "immersiverse")]
    for path in sorted((root / folder).rglob("*.proto"))
}
# protoc keeps its declarations of extension ranges out of its output.
NOT_TO_THE_BYTE = {"google/protobuf/descriptor.proto"}


@pytest.fixture(scope="module")
def published(compile_files) -> dict[str, FileDescriptorProto]:
    return compile_files([CONTRACT, *ROOTS], sorted(FILES))


def test_there_are_many_of_them():
    assert len(FILES) >= 75


@pytest.mark.parametrize("name", sorted({*FILES} - NOT_TO_THE_BYTE))
def test_a_published_file_parses_to_the_very_bytes_of_protoc(name, published):
    ours = parse_file(FILES[name].read_text(), name=name, dependencies=published)
    assert ours.SerializeToString(deterministic=True) == published[name].SerializeToString(deterministic=True)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_published_file_survives_printing(name, published):
    text = print_file(published[name], extensions=published.values())
    again = parse_file(text, name=name, dependencies=published)
    assert canonical(again) == canonical(published[name])
    assert print_file(again, extensions=published.values()) == text


def test_protoc_reads_what_we_print_of_them(published, compile_files, tmp_path):
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(print_file(published[name], extensions=published.values()))
    again = compile_files([tmp_path], sorted(FILES))
    assert {name: canonical(again[name]) for name in FILES} == {
        name: canonical(published[name]) for name in FILES
    }
