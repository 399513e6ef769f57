from __future__ import annotations

from pathlib import Path

import pytest

from immersiverse.auth.events.protofile import canonical, parse_file, print_file

SAMPLES = Path(__file__).parent / "samples"
NAMES = sorted(path.name for path in SAMPLES.glob("*.proto"))


# Where protoc keeps an option out of its output, or writes a map in an order of its own.
NOT_TO_THE_BYTE = {"reserved.proto", "option_uses.proto"}


def parse_sample(name, dependencies):
    return parse_file((SAMPLES / name).read_text(), name=name, dependencies=dependencies)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_parses_to_what_protoc_makes_of_it(name, protoc_samples):
    definitions = protoc_samples.values()
    ours, theirs = parse_sample(name, protoc_samples), protoc_samples[name]
    assert ours.ListFields()[0] == theirs.ListFields()[0]
    assert canonical(ours, extensions=definitions) == canonical(theirs, extensions=definitions)


@pytest.mark.parametrize("name", sorted({*NAMES} - NOT_TO_THE_BYTE))
def test_a_sample_parses_to_the_very_bytes_of_protoc(name, protoc_samples):
    ours = parse_sample(name, protoc_samples)
    assert ours.SerializeToString(deterministic=True) == protoc_samples[name].SerializeToString(
        deterministic=True
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_printed_sample_is_the_same_schema_to_us_and_to_protoc(
    name, protoc_samples, compile_files, tmp_path
):
    definitions = protoc_samples.values()
    text = print_file(protoc_samples[name], extensions=definitions)
    (tmp_path / name).write_text(text)
    expected = canonical(protoc_samples[name], extensions=definitions)
    reparsed = parse_file(text, dependencies=protoc_samples)
    assert canonical(reparsed, extensions=definitions) == expected
    assert print_file(reparsed, extensions=definitions) == text
    recompiled = compile_files([tmp_path, SAMPLES], [name])[name]
    assert canonical(recompiled, extensions=definitions) == expected


def test_options_that_protoc_keeps_to_itself_are_read_as_well(compile_files):
    retained = compile_files([SAMPLES], ["reserved.proto"], "--retain_options")["reserved.proto"]
    assert parse_sample("reserved.proto", {}).SerializeToString() == retained.SerializeToString()
