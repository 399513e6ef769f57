"""What proto3 without services does not have: features of editions, extension fields, methods of services.

The contract has none of it, and the gate keeps it so; other files that are compared may. Each is compared as
text by its path: additions are allowed, any other difference is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import FeatureSet, FileDescriptorProto, MethodOptions
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Proto

from immersiverse.auth.events.schema_checks.kinds import ChangeKind as Kind
from immersiverse.auth.events.schema_checks.protobuf.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor_pb2 import MethodDescriptorProto


def compare_beyond_proto3(old: FileDescriptorProto, new: FileDescriptorProto) -> Iterator[Finding]:
    """Compare the features, extension fields and methods of two files."""
    before, after = dict(_features(old, "#/")), dict(_features(new, "#/"))
    for path, was in before.items():
        if (now := after.get(path, was)) != was:
            yield Finding(Kind.FEATURES_CHANGED, path, was or "no features", now or "no features")
    for read, added, changed in (
        (_extensions, Kind.EXTENSION_ADDED, Kind.EXTENSION_CHANGED),
        (_methods, Kind.RPC_ADDED, Kind.RPC_CHANGED),
    ):
        before, after = dict(read(old)), dict(read(new))
        for path in before | after:
            was, now = before.get(path, ""), after.get(path, "")
            if was != now:
                yield Finding(changed if was else added, path, was, now)


def _features(declaring: Any, path: str) -> Iterator[tuple[str, str]]:
    """The features that a file, and everything in it, sets; what is inherited counts where it is set."""
    yield path, _text(declaring.options.features)
    is_file = isinstance(declaring, FileDescriptorProto)
    prefix = path if is_file else f"{path}/"
    for message in declaring.message_type if is_file else declaring.nested_type:
        yield from _features(message, f"{prefix}{message.name}")
    for enum in declaring.enum_type:
        yield f"{prefix}{enum.name}", _text(enum.options.features)
    for field in () if is_file else declaring.field:
        yield f"{prefix}{field.number}", _text(field.options.features)


def _text(features: FeatureSet) -> str:
    """With those of single languages, as numbers: this runtime does not know them."""
    return text_format.MessageToString(features, as_one_line=True, print_unknown_fields=True)


def _extensions(declaring: Any) -> Iterator[tuple[str, str]]:
    """Extension fields by the message that they extend and their number, as the .proto file says them."""
    for field in declaring.extension:
        extended = field.extendee.lstrip(".")
        kind = field.type_name.lstrip(".") or Proto.Type.Name(field.type).removeprefix("TYPE_").lower()
        group = "group " if field.type == Proto.TYPE_GROUP else ""
        label = Proto.Label.Name(field.label).removeprefix("LABEL_").lower()
        default = f" [default = {field.default_value}]" if field.default_value else ""
        text = f"extend {extended} {{ {label} {group}{kind} {field.name} = {field.number}{default} }}"
        yield f"#/{extended}/{field.number}", text
    is_file = isinstance(declaring, FileDescriptorProto)
    for message in declaring.message_type if is_file else declaring.nested_type:
        yield from _extensions(message)


def _methods(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    """Methods by their service, as the .proto file says them."""
    for service in file.service:
        for method in service.method:
            yield f"#/{service.name}/{method.name}", _signature(method)


def _signature(method: MethodDescriptorProto) -> str:
    sides = (
        (method.client_streaming, method.input_type),
        (method.server_streaming, method.output_type),
    )
    given, returned = (f"({'stream ' if stream else ''}{kind.lstrip('.')})" for stream, kind in sides)
    level = method.options.idempotency_level
    idempotency = f" {MethodOptions.IdempotencyLevel.Name(level)}" if level else ""
    return f"rpc {method.name} {given} returns {returned}{idempotency}"
