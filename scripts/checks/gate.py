"""Every check, in the order of their lines; the slow ones come first, since two run at a time."""

from __future__ import annotations

from checks import distribution, examples, refusals, source, words
from checks.check import Check, command

CHECKS = (
    Check("wheel", "sdist and wheel are whole; the wheel runs by itself", distribution.wheel),
    Check("kit", "a user's tests pass with the wheel's testing kit", distribution.kit),
    Check("new", "projects of auth-events new install and pass their tests", distribution.new_projects),
    Check("lowest", "unit and golden tests pass with the oldest dependencies allowed", distribution.lowest),
    Check(
        "protobuf",
        "they pass with the newest protobuf allowed",
        distribution.newest_protobuf,
    ),
    Check("types", "mypy --strict", source.types),
    Check("examples", "what README and docs show passes mypy --strict and pyright", examples.typed_examples),
    Check(
        "refused",
        "mypy and pyright refuse what is wrong, and say on which line",
        refusals.refused_programs,
    ),
    Check("lint", "ruff's rules", source.lint),
    Check("format", "ruff's format", source.formatting),
    Check("gate", "the contract breaks no service, and every release is read", command("scripts/gate")),
    Check("proto", "buf's lint rules for the contract", command("buf", "lint")),
    Check("generated", "generated code is up to date", command("scripts/generate", "--check")),
    Check("layers", "dependencies point downward only", command("lint-imports", "--no-cache")),
    Check("words", "names and sentences use the terms of the glossary", words.plain_words),
    Check("private", "no name of one machine or network", source.no_private_names),
)
