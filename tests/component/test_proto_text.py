"""Outlines of .proto text, read without protoc."""

from __future__ import annotations

from immersiverse.auth.events.proto_text import outline
from immersiverse.auth.events.protoc import compile_files
from outlines import SAMPLES, outlined


def test_an_outline_says_what_protoc_says():
    compiled = compile_files(SAMPLES)
    assert {name: outlined(outline(text)) for name, text in SAMPLES.items()} == {
        name: outlined(file) for name, file in compiled.items()
    }
