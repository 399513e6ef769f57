"""The guide's figures for the dead letter topic are enough for what the code sends."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest
from confluent_kafka import Message

from immersiverse.auth.events.admin.topic_setup.wanted import DEAD_LETTER_ROOM
from immersiverse.auth.events.kafka import dead_letters as headers
from immersiverse.auth.events.kafka.dead_letters import BATCH_BYTES
from immersiverse.auth.events.kafka.record import Record

DOCS = Path(__file__).resolve().parents[3] / "docs"
SECTION = (
    DOCS.joinpath("operations.md")
    .read_text()
    .partition("### How large the dead letter")[2]
    .partition("\n## ")[0]
)
KEPT = (
    DOCS.joinpath("delivery.md").read_text().partition("## What a dead letter keeps")[2].partition("\n## ")[0]
)
DEFAULT_LIMIT = 1_048_588  # of Kafka's max.message.bytes
VARINT = 5  # bytes at most of a length

Worst = type("Worst" * 50, (Exception,), {})  # the longest name of a class that we reckon with


def figure(pattern: str, text: str = SECTION) -> int:
    found = re.search(pattern, " ".join(text.split()))
    assert found, pattern
    return int(found[1].replace(",", ""))


def wire(said: list[tuple[str, bytes | None]]) -> int:
    return sum(len(name) + len(value or b"") + 2 * VARINT for name, value in said)


def largest(own: list[tuple[str, Any]], key: int) -> list[headers.DeadLetterForm]:
    message: Any = Message(
        topic="t" * 249, partition=1, offset=1, key=b"k" * key, value=b"v" * 100_000,
        headers=own, timestamp=(1, 1_748_772_930_123),
    )  # fmt: skip
    return list(headers.dead_letter_forms(cast("Record", message), Worst("m" * 100_000), 1_000, "g" * 255))


def test_what_is_added_to_the_topics_limit_has_room_for_everything_that_a_dead_letter_says():
    form = largest([], key=1)[0]
    said = wire(form.headers)
    added = figure(r"plus (\d+,\d+)")
    assert 2 * headers.MAX_TEXT < said < added < 2 * said
    assert added == DEAD_LETTER_ROOM
    assert figure(r"up to (\d+,\d+) bytes each") == headers.MAX_TEXT
    assert figure(r"max.message.bytes=(\d+)") == DEFAULT_LIMIT + added


@pytest.mark.parametrize("size", [0, 1, 10, 2_000])
def test_the_least_limit_has_room_for_a_batch_and_for_the_largest_stub(size):
    own = [("h", b"x" * size)] * (headers.MAX_STUB_HEADERS // (size + 5))
    *_, stub = largest(own, key=headers.MAX_STUB_KEY)
    assert stub.key is not None
    assert "h" in dict(stub.headers)
    size, most = wire(stub.headers) + len(stub.key), figure(r"stubs have up to (\d+,\d+)")
    assert size < most
    assert figure(r"batches of up to (\d+,\d+)") == BATCH_BYTES
    assert figure(r"at least (\d+,\d+)") >= BATCH_BYTES + most


def test_the_guide_says_what_a_stub_leaves_out():
    assert figure(r"a key of more than (\d+,\d+)", KEPT) == headers.MAX_STUB_KEY
    assert figure(r"more than (\d+,\d+)\. The stub", KEPT) == headers.MAX_STUB_HEADERS
    assert figure(r"in headers after (\d+,\d+)", KEPT) == headers.MAX_TEXT
    for name in (headers.STUB_HEADER, headers.DIGEST_HEADER, headers.MARKER_HEADER, headers.REDRIVES_HEADER):
        assert f"`{name}`" in KEPT
