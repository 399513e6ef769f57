"""What a dead letter says of its error, whatever that is."""

from __future__ import annotations

from dispatching import record
from immersiverse.auth.events.kafka.dead_letter_headers import PREFIX, dead_letter_headers


class Unspeakable(Exception):
    """An error that cannot be told."""

    def __str__(self) -> str:
        raise RuntimeError("no words for it")


def test_an_error_that_cannot_be_told_is_named_all_the_same() -> None:
    headers = dict(dead_letter_headers(record(0), Unspeakable(), 1, "group"))
    assert headers[f"{PREFIX}exception-fqcn"] == f"{__name__}.Unspeakable".encode()
    assert b"Unspeakable" in (headers[f"{PREFIX}exception-stacktrace"] or b"")
    assert b"failed" in (headers[f"{PREFIX}exception-message"] or b"")
