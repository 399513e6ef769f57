"""JSON objects out of messages: no field twice, CloudEvents in the specification's form.

Source: specification section 3; CloudEvents 1.0, JSON event format, and Kafka protocol binding section 3.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, Final

import orjson

from immersiverse.auth.events.errors import MalformedPayload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Document = dict[str, Any]
    Parse = Callable[[bytes], Document]

EVENT_TYPE: Final = "eventType"
TIMESTAMP: Final = "timestamp"
PAYLOAD: Final = "payload"
"""The specification's three fields."""

_BOM = b"\xef\xbb\xbf"
_ATTRIBUTE = "ce_"
_USUAL = 1 << 16  # bytes; orjson reserves sixty times the size of what it writes


def parse_object(value: bytes) -> Document:
    """A JSON object without a field that is given twice, whose readers could see two values.

    Raises:
        MalformedPayload: if it is not one.
    """
    document = _parsed(orjson.loads, value)
    # What orjson writes the same has no field twice; all else is parsed again, in five times the time.
    if len(value) <= _USUAL and _is_compact(document, value):
        return document
    del document  # so that there is one at a time
    return parse_exactly(value)


def parse_exactly(value: bytes) -> Document:
    """The same with integers of any size, which orjson makes floats of."""
    return _parsed(lambda text: json.loads(text.decode(), object_pairs_hook=_object), value)


def _parsed(parse: Callable[[bytes], Any], value: bytes) -> Document:
    try:
        document = parse(value.removeprefix(_BOM))
    except orjson.JSONDecodeError as error:
        raise MalformedPayload(f"not valid JSON: {error}") from error
    except RecursionError as error:
        raise MalformedPayload("the JSON is nested too deeply") from error
    except ValueError as error:  # of Python: more than 4,300 digits
        raise MalformedPayload("not valid JSON: a number has too many digits") from error
    if type(document) is not dict:
        raise MalformedPayload("the JSON is not an object")
    return document


def _is_compact(document: Document, value: bytes) -> bool:
    try:
        return orjson.dumps(document) == value
    except orjson.JSONEncodeError:  # nested deeper than orjson writes
        return False


def _object(pairs: list[tuple[str, Any]]) -> Document:
    found: Document = {}
    for name, content in pairs:
        if name in found:
            raise MalformedPayload("is given twice", name)
        found[name] = content
    return found


def in_specification_form(document: Document, headers: Iterable[tuple[str, Any]], parse: Parse) -> Document:
    """A document with the specification's fields, made of a CloudEvent if it is one.

    Args:
        document: the message's value.
        headers: the message's headers, which hold the attributes of a CloudEvent in binary mode.
        parse: reads the data of a CloudEvent that is given in base64.

    Raises:
        MalformedPayload: if it is a CloudEvent of another version, or with data that is not JSON.
    """
    if "specversion" in document:
        return _from_cloudevent(document, parse)
    if EVENT_TYPE in document:
        return document
    attributes = _attributes(headers)
    return _from_cloudevent({**attributes, "data": document}, parse) if attributes else document


def _attributes(headers: Iterable[tuple[str, Any]]) -> Document:
    """The attributes of a CloudEvent in binary mode; empty if the headers are not of one."""
    try:
        found = {
            name.removeprefix(_ATTRIBUTE): bytes(value).decode()
            for name, value in headers
            if name.startswith(_ATTRIBUTE) and isinstance(value, bytes | bytearray)
        }
    except UnicodeDecodeError as error:
        raise MalformedPayload("is not UTF-8", "an attribute in the headers") from error
    return found if {"specversion", "type"} <= found.keys() else {}


def _from_cloudevent(cloud: Document, parse: Parse) -> Document:
    """The specification's form of a CloudEvent 1.0; other fields have the same names."""
    if cloud["specversion"] != "1.0":
        raise MalformedPayload("is not 1.0, the only version of CloudEvents read here", "specversion")
    return {
        **cloud,
        EVENT_TYPE: cloud.get("type"),
        TIMESTAMP: cloud.get("time"),
        PAYLOAD: _encoded(cloud, parse) if "data_base64" in cloud else cloud.get("data"),
        "eventId": cloud.get("id"),
    }


def _encoded(cloud: Document, parse: Parse) -> Document:
    if "data" in cloud:
        raise MalformedPayload("is given beside data", "data_base64")
    media_type = str(cloud.get("datacontenttype") or "application/json").partition(";")[0].strip()
    if not media_type.endswith(("/json", "+json")):
        raise MalformedPayload("is not JSON, the only data of CloudEvents read here", "datacontenttype")
    try:
        return parse(base64.b64decode(cloud["data_base64"], validate=True))
    except (TypeError, ValueError, binascii.Error) as error:
        raise MalformedPayload("is not base64", "data_base64") from error
    except MalformedPayload as error:
        raise MalformedPayload(error.reason, f"data_base64.{error.field}".rstrip(".")) from error
