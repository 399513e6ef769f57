"""Recorded bytes read by today's code: they say what they said."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf import json_format

from golden.corpus.release import RecordedCase, Release
from immersiverse.auth.events.errors import AuthEventsError
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.v1.events_pb2 import AuthEvent


def misread(release: Release) -> list[str]:
    """Every recorded form that today's code reads otherwise than it was meant, a line each."""
    readers = {
        "the release's own schemas": AuthEventDeserializer(release.schemas),
        "no registry": AuthEventDeserializer(),
    }
    return [
        f"{release.version}/events/{case.event_type}.json {case.name}: {fault}"
        for case in release.cases()
        for fault in _faults(case, readers)
    ]


def _faults(case: RecordedCase, readers: dict[str, AuthEventDeserializer]) -> Iterator[str]:
    try:
        meant = json_format.ParseDict(case.forms.meaning, AuthEvent())
    except json_format.ParseError as error:
        yield f"its meaning can no longer be said: {error}"
        return
    for name, reader in readers.items():
        for form, value in case.forms.values.items():
            if form == "avro" and name == "no registry":
                continue  # which has no schema of its own in a frame
            if fault := _fault(reader, value, meant):
                yield f"{form} with {name}: {fault}"


def _fault(reader: AuthEventDeserializer, value: bytes, meant: AuthEvent) -> str:
    try:
        read = reader.deserialize(value)
    except AuthEventsError as error:
        return f"cannot be read: {error}"
    if read == meant:
        return ""
    return f"means something else now: {str(read).strip()!r:.300}, not {str(meant).strip()!r:.300}"
