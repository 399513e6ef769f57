"""Values of the contract that any of the contract's languages must carry unharmed."""

from __future__ import annotations

import datetime as dt

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from immersiverse.auth.events.v1 import events_pb2

TOPIC = "auth.events.login"
SUBJECT = "auth.events.login-value"
OPTIONS = "immersiverse/auth/events/v1/options.proto"


def login_failed() -> events_pb2.AuthEvent:
    """An event with a timestamp, an enum, text beyond ASCII and a number past 32 bits."""
    event = events_pb2.AuthEvent(event_id="0190b6c2-7a00-7000-8000-000000000001", version=2**40 + 1)
    event.timestamp.FromDatetime(dt.datetime(2026, 2, 3, 4, 5, 6, 789000, tzinfo=dt.UTC))
    failed = event.login_failed
    failed.user_id, failed.ip_address, failed.user_agent = "u-1", "2001:db8::1", "브라우저/1.0 😀"
    failed.reason = events_pb2.LOGIN_FAILURE_REASON_INVALID_CREDENTIALS
    failed.consecutive_failures = 3
    failed.failed_at.CopyFrom(event.timestamp)
    return event


def descriptors() -> FileDescriptorSet:
    """The contract's files and all that they import, each after what it needs."""
    found: dict[str, FileDescriptor] = {}

    def visit(file: FileDescriptor) -> None:
        for dependency in file.dependencies:
            visit(dependency)
        found.setdefault(file.name, file)

    visit(events_pb2.DESCRIPTOR)
    collected = FileDescriptorSet()
    for file in found.values():
        file.CopyToProto(collected.file.add())
    return collected
