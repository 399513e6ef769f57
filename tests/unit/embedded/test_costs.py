"""Schemas that would hold up everyone else are refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from unit.embedded.caller import Caller


def unions(branches: int, count: int = 1) -> dict[str, Any]:
    """A registration of a record with unions of records."""
    fields = [
        {"name": f"f{union}", "type": [other(f"{union}_{branch}") for branch in range(branches)]}
        for union in range(count)
    ]
    return {"schema": json.dumps({"type": "record", "name": "R", "fields": fields})}


def other(name: str) -> dict[str, Any]:
    return {"type": "record", "name": f"B{name}", "fields": [{"name": "a", "type": "int"}]}


@pytest.mark.parametrize(("branches", "count"), [(1_500, 1), (50, 30)])
def test_unions_of_thousands_of_branches_are_refused(ask: Caller, branches: int, count: int) -> None:
    assert ask.code("POST", "/subjects/s/versions", unions(branches, count)) == 42201


@pytest.mark.parametrize(("branches", "count"), [(100, 1), (2, 200)])
def test_unions_of_a_hundred_branches_are_taken(ask: Caller, branches: int, count: int) -> None:
    ask.register("s", unions(branches, count))


@pytest.mark.parametrize(
    "schema",
    ['{"type": "string"}', '{"type": "object"}', 'syntax = "proto3"; message M {}'],
    ids=["AVRO", "JSON", "PROTOBUF"],
)
def test_a_schema_of_megabytes_is_refused(ask: Caller, schema: str, request: pytest.FixtureRequest) -> None:
    body = {"schemaType": request.node.callspec.id, "schema": schema}
    ask.register("s", body)
    assert ask.code("POST", "/subjects/s/versions", body | {"schema": schema + " " * 1_100_000}) == 42201
