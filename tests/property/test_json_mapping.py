"""Our JSON mapping is json_format's, in both directions, for every kind of field the contract may have."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import grpc_tools
import pytest
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    field_mask_pb2,
    json_format,
    timestamp_pb2,
)
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_tools import protoc
from hypothesis import assume, given
from hypothesis import strategies as st

import strategies
from immersiverse.auth.events.errors import MalformedPayload
from immersiverse.auth.events.serialization.json.reader import object_reader
from immersiverse.auth.events.serialization.json.writer import object_writer

PROTO = Path(__file__).with_name("every_type.proto")
WELL_KNOWN = (duration_pb2, field_mask_pb2, timestamp_pb2)


@cache
def every_type() -> type[Message]:
    """The message of every_type.proto."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set"
        includes = [f"-I{PROTO.parent}", f"-I{Path(grpc_tools.__file__).parent / '_proto'}"]
        assert protoc.main(["protoc", *includes, f"--descriptor_set_out={out}", PROTO.name]) == 0
        compiled = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    for module in WELL_KNOWN:  # in the pool since they are imported
        assert module.DESCRIPTOR.name in compiled.file[0].dependency
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(compiled.file[0].SerializeToString())
    return GetMessageClass(pool.FindMessageTypeByName("immersiverse.auth.events.tests.Everything"))


EVERYTHING = every_type()
MESSAGES = strategies.messages(EVERYTHING.DESCRIPTOR)
WRITE, READ = object_writer(EVERYTHING.DESCRIPTOR), object_reader(EVERYTHING.DESCRIPTOR)


def exactly(value: Any) -> str:
    """JSON text that tells 0.0 from -0.0 and 1 from 1.0."""
    return json.dumps(value, sort_keys=True)


def bytes_of(message: Message) -> bytes:
    """What tells messages apart where == does not: NaN."""
    return message.SerializeToString(deterministic=True)


def written_by_json_format(message: Message) -> Any:
    """Its JSON, or the class of ValueError for what JSON cannot say."""
    try:
        return json_format.MessageToDict(message)
    except (json_format.Error, ValueError):
        return ValueError


def read_by_json_format(document: Any) -> bytes | type[Exception]:
    message = EVERYTHING()
    try:
        return bytes_of(json_format.ParseDict(document, message, ignore_unknown_fields=True))
    except (json_format.Error, ValueError, TypeError, AttributeError):
        return ValueError


def read_by_us(document: Any) -> bytes | type[Exception]:
    message = EVERYTHING()
    try:
        READ(document, message)
    except (MalformedPayload, ValueError):
        return ValueError
    return bytes_of(message)


# JSON that some field takes and others must refuse, and what lies just beyond.
TEXTS = (
    *(
        "",
        "0",
        "-0",
        "1",
        "-1",
        "1.0",
        "1.5",
        "1e3",
        "0x1",
        "NaN",
        "-Infinity",
        "nan",
        "inf",
        "true",
        "false",
    ),
    *(
        "COLOUR_RED",
        "COLOUR_CRIMSON",
        "COLOUR_NEW",
        "--7",
        "\u00b2",
        "AA==",
        "AA",
        "A",
        "_-__",
        "+/==",
        "A A=",
    ),
    *("2025-06-01T10:15:30Z", "2025-06-01T10:15:30.1Z", "2025-06-01T10:15:30.123456789Z", "1.5s", "-0.5s"),
    *("2025-06-01T10:15:30.1234567890Z", "2025-06-01T10:15:30+09:00", "2025-06-01 10:15:30Z", "1s "),
    *("2025-06-01T24:00:00Z", "2025-06-01T10:15:60Z", "2025-02-30T10:15:30Z", "0001-01-01T00:00:00+01:00"),
    *("9999-12-31T23:59:59.999999999Z", "2025-06-01T10:15:30", "315576000001s", "aB,cD", "a_b", ","),
)
LIMITS = [sign * (1 << bits) - less for sign in (1, -1) for bits in (0, 31, 32, 63, 64) for less in (0, 1)]
NUMBERS = (
    st.sampled_from([0, *LIMITS, -0.0, 5.0, 5.5, 1e20, 3.5e38, 1e300])
    | st.integers()
    | st.floats(allow_nan=False)
)
LEAVES = st.none() | st.booleans() | NUMBERS | st.sampled_from(TEXTS)
KEYS = st.sampled_from(["0", "1", "true", "value", "name", "x"])
VALUES = LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(KEYS, LEAVES, max_size=2)
DOCUMENTS = st.dictionaries(st.sampled_from(list(EVERYTHING.DESCRIPTOR.fields)), VALUES, max_size=4).flatmap(
    lambda values: st.builds(
        lambda spelling: {(f.name if spelling else f.json_name): value for f, value in values.items()},
        st.booleans(),
    )
)


@given(DOCUMENTS)
def test_any_json_that_is_read_is_read_as_json_format_reads_it(document: dict[str, Any]) -> None:
    ours = read_by_us(document)
    if ours is not ValueError:
        assert ours == read_by_json_format(document)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("anInt32", "+1"),
        ("anInt32", "1_0"),
        ("anInt32", "\u0663"),
        ("aDouble", " 1"),
        ("aDouble", True),
        ("aColour", True),
        ("aColour", 5.5),
        ("import", ""),
        ("import", []),
        ("others", [""]),
        ("someBytes", "A!A="),
    ],
)
def test_what_only_pythons_own_leniency_lets_json_format_read_is_refused(field: str, value: Any) -> None:
    assert read_by_json_format({field: value}) is not ValueError
    with pytest.raises(MalformedPayload) as refused:
        READ({field: value}, EVERYTHING())
    assert refused.value.field == field


@given(MESSAGES)
def test_any_message_is_written_as_json_format_writes_it(message: Message) -> None:
    expected = written_by_json_format(message)
    if expected is ValueError:
        with pytest.raises(ValueError):
            WRITE(message)
    else:
        assert exactly(WRITE(message)) == exactly(expected)


@given(MESSAGES)
def test_what_json_format_writes_is_read_as_json_format_reads_it(message: Message) -> None:
    document = written_by_json_format(message)
    expected = ValueError if document is ValueError else read_by_json_format(document)
    assume(expected is not ValueError)
    assert read_by_us(document) == expected


@pytest.mark.parametrize("greatest", [3.4028234663852886e38, -3.4028234663852886e38])
def test_the_greatest_float_is_read_as_it_is_written_though_json_format_refuses_it(greatest: float) -> None:
    message = EVERYTHING(a_float=greatest)
    assert read_by_json_format(WRITE(message)) is ValueError
    assert read_by_us(WRITE(message)) == bytes_of(message)
