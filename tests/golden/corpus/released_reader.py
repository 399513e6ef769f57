"""Run by a released wheel's Python: read messages, and say what they are in its eyes.

Standard input: ``{"file": base64, "avro": text, "values": [base64]}``. It knows nothing of this tree.
"""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events import AuthEventDeserializer, AuthEventsError, UnknownEvent
from immersiverse.auth.events.serialization.schemas import WriterSchema

PROTOBUF_ID = 1


class Registry:
    """A registry that knows one contract, under the ids of recorded frames."""

    def __init__(self, file: bytes, avro: str) -> None:
        self._protobuf = WriterSchema("PROTOBUF", FileDescriptorProto.FromString(file))
        self._avro = WriterSchema("AVRO", text=avro)

    def writer_schema(self, schema_id: Any) -> WriterSchema:
        return self._protobuf if schema_id == PROTOBUF_ID else self._avro


def answer(deserializer: AuthEventDeserializer, value: bytes) -> dict[str, Any]:
    try:
        read = deserializer.deserialize(value)
        if isinstance(read, UnknownEvent):
            envelope = json_format.MessageToDict(read.envelope)
            return {"unknown": read.event_type, "payload": read.read(), "envelope": envelope}
    except AuthEventsError as error:
        return {"error": f"{type(error).__name__}: {error}"}
    assert read is not None
    written = base64.b64encode(read.SerializeToString()).decode()
    return {"event": json_format.MessageToDict(read), "bytes": written}


def main() -> None:
    asked = json.load(sys.stdin)
    deserializer = AuthEventDeserializer(Registry(base64.b64decode(asked["file"]), asked["avro"]))
    values = (base64.b64decode(value) for value in asked["values"])
    json.dump([answer(deserializer, value) for value in values], sys.stdout, default=repr)


if __name__ == "__main__":
    main()
