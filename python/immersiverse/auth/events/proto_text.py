"""What a .proto text declares, read without protoc: its words, its statements, and an outline of the file.

Consumers read text of others with it, so it takes whatever comes: time and memory grow with the text and no
faster, and text that is not valid gives some answer or InvalidSchema. Whether a text is valid, protoc says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCALARS: Final = frozenset(
    {"bool", "bytes", "double", "fixed32", "fixed64", "float", "int32", "int64", "sfixed32", "sfixed64",
     "sint32", "sint64", "string", "uint32", "uint64"}
)  # fmt: skip
_MAX_NUMBER: Final = 2**29 - 1
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FULL_NAME = re.compile(rf"\.?{_NAME.pattern}(?:\.{_NAME.pattern})*")
_NUMBER = re.compile("(?P<hex>0[xX][0-9a-fA-F]{1,8})|(?P<octal>0[0-7]{1,11})|[0-9]{1,9}")

# No group has a possessive quantifier, which the first versions of Python 3.11 get wrong.
_WORD = re.compile(
    r"//[^\n]*|/\*[^*]*(?:\*(?!/)[^*]*)*(?:\*/|\Z)"
    r"|(?P<word>\"[^\"\\\n]*(?:\\[^\n][^\"\\\n]*)*\"?|'[^'\\\n]*(?:\\[^\n][^'\\\n]*)*'?"
    r"|[A-Za-z0-9_.]+|[^\sA-Za-z0-9_.])"
)


def words(text: str) -> Iterator[tuple[str, int]]:
    """Each word, string or sign outside comments, with its line from 1."""
    line, counted = 1, 0
    for match in _WORD.finditer(text):
        if match["word"]:
            line += text.count("\n", counted, match.start())
            counted = match.start()
            yield match["word"], line


def imports(text: str) -> Iterator[str]:
    """The paths that a file imports."""
    before = ""
    for word, _ in words(text):
        if before == "import" and word in ("public", "weak"):
            continue
        if before == "import" and word[0] in "\"'" and word.isprintable():
            yield word[1:-1]
        before = word


def statements(text: str) -> Iterator[tuple[list[str], str, int]]:
    """The words of each statement without options, what ends it (``;``, ``{``, ``}``), and its first line."""
    statement: list[str] = []
    begins, options = 1, 0
    for word, line in words(text):
        if options:
            options += (word in ("[", "{")) - (word in ("]", "}"))
        elif word == "[" or (word == "{" and statement[:1] == ["option"]):
            options = 1
        elif word in (";", "{", "}"):
            yield statement, word, begins if statement else line
            statement = []
        else:
            begins = begins if statement else line
            statement.append(word)


def outline(text: str) -> FileDescriptorProto:
    """The package, the names of the messages in their order, and the oneofs of the first message.

    That is what it takes to know whether bytes are of this contract's envelope, and the name of each event
    type in it. A field's type is named as it is written.

    Raises:
        InvalidSchema: the braces do not match, or a declaration that counts here cannot be read.
    """
    reader = _Outline()
    for declaration, end, line in statements(text):
        try:
            reader.read(declaration, end)
        except ValueError as error:
            raise InvalidSchema(f"line {line}: {error}") from None
    if reader.blocks:
        raise InvalidSchema("a '{' is never closed")
    return reader.file


class _Outline:
    """An outline as far as it has been read.

    Attributes:
        file: the outline.
        blocks: what each open block is (message, extend, oneof; empty for all others), the outermost first.
    """

    def __init__(self) -> None:
        self.file = FileDescriptorProto()
        self.blocks: list[str] = []

    def read(self, declaration: list[str], end: str) -> None:
        if end == "}":
            if not self.blocks:
                raise ValueError("this '}' closes nothing")
            self.blocks.pop()
        elif end == "{":
            self._open(declaration)
        else:
            self._declare(declaration)

    def _open(self, declaration: list[str]) -> None:
        kind = ""
        match self.blocks, declaration:
            case [], [*_, "message", name]:
                self.file.message_type.add(name=_name(name))
            # A group in an extension of the file declares a message of the file.
            case ["extend"], [*_, "group", name, "=", _]:
                self.file.message_type.add(name=_name(name))
            case ["message"], ["oneof", name] if len(self.file.message_type) == 1:
                self.file.message_type[0].oneof_decl.add(name=_name(name))
        match declaration:
            case [*_, "message", _]:
                kind = "message"
            case ["extend" | "oneof" as kind, *_]:
                pass
        self.blocks.append(kind)

    def _declare(self, declaration: list[str]) -> None:
        match self.blocks, declaration:
            case _, ["option", *_]:
                pass
            case [], ["package", *name]:
                if self.file.package:
                    raise ValueError("there is a package already")
                self.file.package = _full_name(name)
            case ["message", "oneof"], [*kind, name, "=", number] if len(self.file.message_type) == 1:
                envelope = self.file.message_type[0]
                envelope.field.add(
                    name=_name(name),
                    number=_number(number),
                    type_name="" if "".join(kind) in _SCALARS else _full_name(kind),
                    oneof_index=len(envelope.oneof_decl) - 1,
                )


def _name(word: str) -> str:
    if not _NAME.fullmatch(word):
        raise ValueError("expected a name")
    return word


def _full_name(words_: list[str]) -> str:
    name = "".join(words_)
    if not _FULL_NAME.fullmatch(name):
        raise ValueError("expected a full name")
    return name


def _number(word: str) -> int:
    found = _NUMBER.fullmatch(word)
    if not found:
        raise ValueError("expected the number of a field")
    number = int(word, 16 if found["hex"] else 8 if found["octal"] else 10)
    if not 0 < number <= _MAX_NUMBER:
        raise ValueError("no field has such a number")
    return number
