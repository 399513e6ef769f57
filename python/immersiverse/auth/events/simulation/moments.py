"""Times that follow from other times."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp


def seconds_after(at: Timestamp, seconds: int) -> Timestamp:
    """The time that many seconds later."""
    return Timestamp(seconds=at.seconds + seconds, nanos=at.nanos)
