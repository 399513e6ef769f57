"""Ways to spoil bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any, Final

from fuzz.corpus import Message

Mutation = Callable[[Random, bytearray], None]

_INTERESTING: Final = (
    *(b"\x00", b"\x01", b"\x02", b"\x7f", b"\x80", b"\xff", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
    *(
        b"\xfe\xff\xff\xff\x0f",
        b"\x80\x80\x80\x80\x80\x00",
        b"\xed\xa0\x80",
        b"\xc0\xaf",
        b"\xf4\x90\x80\x80",
    ),
    *(b"{", b"}", b"[", b"]", b'"', b",", b":", b"null", b"true", b"NaN", b"-0", b"1e400", b"-1", b"0.5"),
    *(b"9223372036854775808", b"18446744073709551616", b'"\\ud800"', b"\\u0000", b'""', b"{}", b"[]"),
    *(b"[" * 2_000, b'{"a":' * 300, b"9" * 400, b"\x80" * 12, b" " * 64),
)


def _flip(random: Random, data: bytearray) -> None:
    place = random.randrange(len(data))
    data[place] ^= 1 << random.randrange(8)


def _overwrite(random: Random, data: bytearray) -> None:
    data[random.randrange(len(data))] = random.randrange(256)


def _insert(random: Random, data: bytearray) -> None:
    place = random.randrange(len(data) + 1)
    data[place:place] = random.choice(_INTERESTING)


def _replace(random: Random, data: bytearray) -> None:
    place = random.randrange(len(data))
    data[place : place + random.randrange(1, 9)] = random.choice(_INTERESTING)


def _truncate(random: Random, data: bytearray) -> None:
    del data[random.randrange(len(data)) :]


def _delete(random: Random, data: bytearray) -> None:
    place = random.randrange(len(data))
    del data[place : place + random.randrange(1, 17)]


def _repeat(random: Random, data: bytearray) -> None:
    start = random.randrange(len(data))
    piece = data[start : start + random.randrange(1, 65)]
    data[start:start] = piece * random.choice((1, 2, 50))


def _swap(random: Random, data: bytearray) -> None:
    one, other = random.randrange(len(data)), random.randrange(len(data))
    data[one], data[other] = data[other], data[one]


_MUTATIONS: Final[tuple[Mutation, ...]] = (
    *(_flip, _flip, _overwrite, _overwrite, _insert, _insert, _replace, _replace),
    *(_truncate, _delete, _repeat, _swap),
)


_WRONG: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1.5, -0.0, 1e300, 1 << 31, 1 << 63, 1 << 64, -(1 << 63) - 1, 10**30),
    *(
        "",
        "x",
        "-1",
        "1e3",
        "NaN",
        "\u0000",
        "2025-06-01T10:15:30Z",
        "9999-12-31T23:59:59-23:59",
        "a,bC",
        "\u20ac",
    ),
    *([], [None], [[]], ["x"] * 50, {}, {"userId": "u"}, {"": None}, {"seconds": 1, "nanos": -1}),
)


def _respell(random: Random, value: bytes) -> bytes:
    """JSON with something else in one of its places."""
    document = json.loads(value)
    place = document
    while True:
        name = random.choice(sorted(place))
        if not isinstance(place[name], dict) or not place[name] or random.random() < 0.2:
            break
        place = place[name]
    chance = random.random()
    if chance < 0.7:
        place[name] = random.choice(_WRONG)
    elif chance < 0.85:
        del place[name]
    else:
        place[random.choice(("userId", "user_id", "createdAt", "method", "changedFields", "version"))] = (
            place[name]
        )
    return json.dumps(document, ensure_ascii=random.random() < 0.5).encode()


def mutated(random: Random, messages: list[Message]) -> Message:
    """A message of the corpus, spoiled once to four times, some with the end or the header of another."""
    message = random.choice(messages)
    if message.value.startswith(b"{") and random.random() < 0.7:
        return replace(message, value=_respell(random, message.value))
    value = bytearray(message.value)
    if random.random() < 0.1:
        other = random.choice(messages).value
        value[random.randrange(len(value)) :] = other[random.randrange(len(other)) :]
    _spoil(random, value, random.choice((1, 1, 1, 2, 4)))
    return replace(message, value=bytes(value), header=_header(random, message, messages))


def _header(random: Random, message: Message, messages: list[Message]) -> bytes | None:
    chance = random.random()
    if chance < 0.02:
        return random.choice(messages).header
    if message.header is None or chance < 0.7:
        return message.header
    header = bytearray(message.header)
    _spoil(random, header, 1)
    return bytes(header)


def _spoil(random: Random, data: bytearray, times: int) -> None:
    for _ in range(times):
        if data:
            random.choice(_MUTATIONS)(random, data)
