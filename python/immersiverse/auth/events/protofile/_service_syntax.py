"""The grammar of services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.protofile._draft import Reference
from immersiverse.auth.events.protofile._names import join
from immersiverse.auth.events.protofile._option_syntax import read_option_statement

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import MethodDescriptorProto, ServiceDescriptorProto

    from immersiverse.auth.events.protofile._cursor import Cursor
    from immersiverse.auth.events.protofile._draft import Draft


def read_service(cursor: Cursor, draft: Draft, service: ServiceDescriptorProto) -> None:
    """``service Name { ... }``, whose first word is at hand."""
    cursor.expect("service")
    service.name = cursor.identifier("the name of the service")
    draft.declare(cursor, join(draft.file.package, service.name))
    cursor.expect("{")
    while not cursor.accept("}"):
        if cursor.text == "option":
            read_option_statement(cursor, draft, service, draft.file.package)
        elif not cursor.accept(";"):
            _read_method(cursor, draft, service.method.add(), join(draft.file.package, service.name))


def _read_method(cursor: Cursor, draft: Draft, method: MethodDescriptorProto, scope: str) -> None:
    cursor.expect("rpc")
    method.name = cursor.identifier("the name of the method")
    draft.declare(cursor, join(scope, method.name))
    if _read_side(cursor, draft, method, "input_type", scope):
        method.client_streaming = True
    cursor.expect("returns")
    if _read_side(cursor, draft, method, "output_type", scope):
        method.server_streaming = True
    if cursor.accept("{"):
        while not cursor.accept("}"):
            if not cursor.accept(";"):
                read_option_statement(cursor, draft, method, scope)
        # A method whose braces are empty still has (empty) options; canonical() sees no difference.
        method.options.SetInParent()
    else:
        cursor.expect(";")


def _read_side(
    cursor: Cursor, draft: Draft, method: MethodDescriptorProto, attribute: str, scope: str
) -> bool:
    cursor.expect("(")
    streaming = cursor.accept("stream")
    offset = cursor.offset
    name = cursor.type_name("the name of a message")
    draft.references.append(Reference(method, attribute, name, scope, offset))
    cursor.expect(")")
    return streaming
