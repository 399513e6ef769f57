"""From a descriptor to the text of a .proto file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import Edition

from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.protofile._dependencies import definitions
from immersiverse.auth.events.protofile._literals import quote
from immersiverse.auth.events.protofile._names import is_full_name, join
from immersiverse.auth.events.protofile._plain import plain_copy
from immersiverse.auth.events.protofile._print_enum import enum_lines, indented, statements
from immersiverse.auth.events.protofile._print_field import identifier, reference
from immersiverse.auth.events.protofile._print_message import MessagePrinter
from immersiverse.auth.events.protofile._print_options import OptionPrinter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.descriptor_pb2 import (
        FileDescriptorProto,
        MethodDescriptorProto,
        ServiceDescriptorProto,
    )

    from immersiverse.auth.events.protofile._symbols import Symbols


def print_file(file: FileDescriptorProto, *, extensions: Iterable[FileDescriptorProto] = ()) -> str:
    """A file's text, without comments: one descriptor, one text, which protoc, buf and Wire read.

    Types are written in full with a leading dot, so that no scope can give them another meaning. proto2,
    proto3 and edition 2023 are written. ``parse_file`` of the text gives the descriptor again, but for what
    ``canonical`` passes over.

    Args:
        file: as protoc makes it, names resolved.
        extensions: the files that define its custom options, and what those import. What the file itself
            or the default descriptor pool defines need not be given.

    Raises:
        InvalidSchema: a custom option whose definition is nowhere (it is never left out in silence), or
            something else that no .proto text can say.
    """
    # Strings that are not UTF-8 are refused here, once, rather than wherever they are written.
    plain_copy(file)
    return "\n".join(_lines(file, definitions(file, extensions)))


def _lines(file: FileDescriptorProto, symbols: Symbols) -> Iterator[str]:
    syntax = file.syntax or "proto2"
    options = OptionPrinter(symbols)
    yield _syntax_line(file)
    yield from _head(file, options)
    for lines in MessagePrinter(options, syntax).file_lines(file):
        yield from ("", *lines)
    for enum in file.enum_type:
        yield from ("", *enum_lines(options, enum, file.package, syntax))
    for service in file.service:
        yield from ("", *_service_lines(service, file.package, options))
    yield ""


def _syntax_line(file: FileDescriptorProto) -> str:
    syntax = file.syntax or "proto2"
    if syntax in {"proto2", "proto3"}:
        return f'syntax = "{syntax}";'
    if syntax == "editions" and file.edition == Edition.EDITION_2023:
        return 'edition = "2023";'
    raise InvalidSchema(f"a file of syntax {syntax!r}, edition {file.edition} cannot be written as text")


def _head(file: FileDescriptorProto, options: OptionPrinter) -> Iterator[str]:
    if file.package:
        if not is_full_name(file.package):
            raise InvalidSchema(f"{file.package!r} is not the name of a package")
        yield from ("", f"package {file.package};")
    if file.dependency:
        yield from ("", *_imports(file))
    settings = options.of(file, file.package)
    if settings:
        yield from ("", *statements(settings))


def _imports(file: FileDescriptorProto) -> Iterator[str]:
    marked = (*file.public_dependency, *file.weak_dependency)
    if any(not 0 <= index < len(file.dependency) for index in marked):
        raise InvalidSchema(f"{file.name or 'a descriptor'} marks an import that it does not have")
    public, weak = set(file.public_dependency), set(file.weak_dependency)
    for index, path in enumerate(file.dependency):
        modifier = "public " if index in public else "weak " if index in weak else ""
        yield f"import {modifier}{quote(path)};"


def _service_lines(service: ServiceDescriptorProto, package: str, options: OptionPrinter) -> Iterator[str]:
    yield f"service {identifier(service.name)} {{"
    yield from indented(statements(options.of(service, package)))
    for method in service.method:
        yield from indented(_method_lines(method, join(package, service.name), options))
    yield "}"


def _method_lines(method: MethodDescriptorProto, scope: str, options: OptionPrinter) -> Iterator[str]:
    taken = f"{'stream ' if method.client_streaming else ''}{reference(method.input_type)}"
    returned = f"{'stream ' if method.server_streaming else ''}{reference(method.output_type)}"
    line = f"rpc {identifier(method.name)}({taken}) returns ({returned})"
    settings = options.of(method, scope)
    if settings:
        yield f"{line} {{"
        yield from indented(statements(settings))
        yield "}"
    else:
        yield f"{line};"
