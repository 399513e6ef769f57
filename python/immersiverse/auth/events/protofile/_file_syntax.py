"""The grammar of a whole file, from its syntax line to its last declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import Edition

from immersiverse.auth.events.protofile._enum_syntax import read_enum
from immersiverse.auth.events.protofile._message_syntax import read_extend, read_message
from immersiverse.auth.events.protofile._option_syntax import read_option_statement
from immersiverse.auth.events.protofile._service_syntax import read_service

if TYPE_CHECKING:
    from immersiverse.auth.events.protofile._cursor import Cursor
    from immersiverse.auth.events.protofile._draft import Draft

# protoc's own limit; it also keeps the cost of looking names up through enclosing packages in bounds.
_LONGEST_PACKAGE = 511


def read_file(cursor: Cursor, draft: Draft) -> None:
    """Everything up to the end of the text.

    Raises:
        InvalidSchema: the text is not a .proto file.
    """
    _read_syntax(cursor, draft)
    while cursor.kind != "end":
        _read_statement(cursor, draft)


def _read_syntax(cursor: Cursor, draft: Draft) -> None:
    if cursor.text not in {"syntax", "edition"}:
        return
    word = cursor.take()
    cursor.expect("=")
    offset = cursor.offset
    value = cursor.text_string(f"the {word}")
    cursor.expect(";")
    if word == "edition":
        if value != "2023":
            cursor.fail('expected edition "2023", the only one that is read here', offset)
        draft.file.syntax = "editions"
        draft.file.edition = Edition.EDITION_2023
    elif value in {"proto2", "proto3"}:
        draft.file.syntax = value
    else:
        cursor.fail('expected syntax "proto2" or "proto3"', offset)


def _read_statement(cursor: Cursor, draft: Draft) -> None:
    file, package = draft.file, draft.file.package
    match cursor.text:
        case ";":
            cursor.take()
        case "message":
            read_message(cursor, draft, file.message_type.add(), package, depth=1)
        case "enum":
            read_enum(cursor, draft, file.enum_type.add(), package)
        case "service":
            read_service(cursor, draft, file.service.add())
        case "extend":
            read_extend(cursor, draft, file, package, depth=0)
        case "option":
            read_option_statement(cursor, draft, file, package)
        case "import":
            _read_import(cursor, draft)
        case "package":
            _read_package(cursor, draft)
        case _:
            cursor.unexpected("a declaration such as message, enum, service or import")


def _read_import(cursor: Cursor, draft: Draft) -> None:
    cursor.expect("import")
    file, index = draft.file, len(draft.file.dependency)
    if cursor.accept("public"):
        file.public_dependency.append(index)
    elif cursor.accept("weak"):
        file.weak_dependency.append(index)
    offset = cursor.offset
    path = cursor.text_string("the path of a file")
    cursor.expect(";")
    if path in draft.imports:
        cursor.fail(f'expected "{path}" to be imported once', offset)
    draft.imports.add(path)
    file.dependency.append(path)


def _read_package(cursor: Cursor, draft: Draft) -> None:
    if draft.file.package:
        cursor.fail("expected one package line")
    if draft.file.message_type or draft.file.enum_type or draft.file.service or draft.file.extension:
        cursor.fail("expected the package line before every declaration")
    cursor.expect("package")
    offset = cursor.offset
    draft.file.package = cursor.full_name("the name of a package")
    cursor.expect(";")
    if len(draft.file.package) > _LONGEST_PACKAGE:
        cursor.fail(f"expected a package name of at most {_LONGEST_PACKAGE} characters", offset)
