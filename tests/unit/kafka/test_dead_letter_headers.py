"""What a dead letter says of its error, whatever that is."""

from __future__ import annotations

from immersiverse.auth.events.kafka.dead_letters import (
    MAX_TEXT,
    PREFIX,
    dead_letter_forms,
    dead_letter_headers,
)
from scheduling import record


class Unspeakable(Exception):
    """An error whose text cannot be made."""

    def __str__(self) -> str:
        raise RuntimeError("no words for it")


def test_an_error_whose_text_cannot_be_made_is_named_all_the_same() -> None:
    headers = dict(dead_letter_headers(record(0), Unspeakable(), 1, "group"))
    assert headers[f"{PREFIX}exception-fqcn"] == f"{__name__}.Unspeakable".encode()
    assert b"Unspeakable" in (headers[f"{PREFIX}exception-stacktrace"] or b"")
    assert b"failed" in (headers[f"{PREFIX}exception-message"] or b"")


def test_of_a_long_stack_trace_the_end_is_kept_where_it_was_raised() -> None:
    error = ValueError("long" * MAX_TEXT + " the end")
    headers = dict(dead_letter_headers(record(0), error, 1, "group"))
    trace, message = headers[f"{PREFIX}exception-stacktrace"], headers[f"{PREFIX}exception-message"]
    assert trace is not None
    assert message is not None
    assert (len(trace), len(message)) == (MAX_TEXT, MAX_TEXT)
    assert trace.endswith(b" the end\n")
    assert message.startswith(b"long")


def test_a_stub_of_a_message_without_a_value_says_that_it_had_none() -> None:
    *_, stub = dead_letter_forms(record(0, value=None), ValueError("no"), 3, "group")
    said = dict(stub.headers)
    assert (stub.is_stub, stub.value, said["auth-events-stub"]) == (True, b"", b"-1")
    assert "auth-events-value-sha256" not in said
    assert said["auth-events-attempts"] == b"3"


def test_each_form_of_a_dead_letter_is_smaller_than_the_one_before() -> None:
    sizes = [
        len(form.value or b"") + sum(len(name) + len(value or b"") for name, value in form.headers)
        for form in dead_letter_forms(record(0, value=b"v" * 5_000), ValueError("no" * 2_000), 1, "group")
    ]
    assert len(sizes) == 3
    assert sizes == sorted(sizes, reverse=True)
