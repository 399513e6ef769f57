"""Messages that no client of librdkafka's sends, as bytes of Kafka's protocol (Produce, version 3)."""

from __future__ import annotations

import socket
import struct
import time

# Unknown topic or partition, not the leader: as of a topic that was just made.
_NOT_YET = {(3).to_bytes(2, "big"), (6).to_bytes(2, "big")}


def send(bootstrap: str, topic: str, value: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Put one message with a key of its own into partition 0; headers may have names that are no text."""
    batch = _batch(_record(b"foreign", value, headers))
    partition = struct.pack(">ii", 0, len(batch)) + batch
    body = struct.pack(">hhii", -1, 1, 5_000, 1) + _text(topic) + struct.pack(">i", 1) + partition
    request = struct.pack(">hhi", 0, 3, 1) + _text("test") + body
    host, port = bootstrap.rsplit(":", 1)
    until = time.monotonic() + 10
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        error = b""
        while error in {b"", *_NOT_YET} and time.monotonic() < until:
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.recv(4096)
            error = answer[8 + 4 + 2 + len(topic) + 4 + 4 :][:2]
    assert error == b"\0\0", answer


def _batch(record: bytes) -> bytes:
    """A record batch (magic 2)."""
    after_checksum = struct.pack(">hiqqqhii", 0, 0, 0, 0, -1, -1, -1, 1) + record
    rest = struct.pack(">ibI", 0, 2, _crc32c(after_checksum)) + after_checksum
    return struct.pack(">qi", 0, len(rest)) + rest


def _crc32c(content: bytes) -> int:
    """Castagnoli's checksum, bit by bit."""
    checksum = 0xFFFFFFFF
    for byte in content:
        checksum ^= byte
        for _ in range(8):
            checksum = checksum >> 1 ^ (0x82F63B78 if checksum & 1 else 0)
    return checksum ^ 0xFFFFFFFF


def _record(key: bytes, value: bytes, headers: list[tuple[bytes, bytes]]) -> bytes:
    fields = b"".join(_bytes(name) + _bytes(content) for name, content in headers)
    record = b"\0" + _varint(0) * 2 + _bytes(key) + _bytes(value) + _varint(len(headers)) + fields
    return _bytes(record)


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def _bytes(content: bytes) -> bytes:
    return _varint(len(content)) + content


def _varint(number: int) -> bytes:
    rest, written = number << 1, bytearray()  # zigzag of what is not negative
    while rest > 0x7F:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes((*written, rest))
