"""The text of the contract that registries get."""

import sys
from pathlib import Path

from immersiverse.auth.events.protoc import compile_files

TESTS = Path(__file__).parents[2]
ROOT = TESTS.parent
SAMPLES = {path.name: path.read_text() for path in sorted((TESTS / "proto_samples").glob("*.proto"))}
sys.path.append(str(ROOT / "scripts"))

from contract.canonical_text import canonical_text  # noqa: E402 - a script's


def test_a_canonical_text_is_the_same_schema():
    assert compile_files({name: canonical_text(text) for name, text in SAMPLES.items()}) == compile_files(
        SAMPLES
    )
