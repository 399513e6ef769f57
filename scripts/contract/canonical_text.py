"""The text of a .proto file as registries get it: without comments, and with line breaks of its own.

So an edited comment or a line broken elsewhere makes no new version of a registered schema. Only what stands
between tokens changes, and string literals stay as they are.
"""

from __future__ import annotations

import re

_INDENT = "  "
_BETWEEN = r"(?:\s|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)+"
_PIECES = re.compile(
    rf"""(?P<between>{_BETWEEN})|(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<sign>[{{}}\[\];])|."""
)


def canonical_text(source: str) -> str:
    """A statement a line, indented by the blocks it is in; the value of an option stays on its line."""
    lines: list[str] = []
    line, depth, value = "", 0, 0  # value: how many brackets of an option's value are open
    for piece in _PIECES.finditer(source):
        text = _gap(line[-1:], source[piece.end() : piece.end() + 1]) if piece["between"] else piece[0]
        line += text
        if piece["sign"] is None:
            continue
        if text == "[" or (text == "{" and (value or line.removesuffix("{").rstrip().endswith("="))):
            value += 1
        elif text in "]}" and value:
            value -= 1
        elif not value:
            depth -= text == "}"
            lines.append(_INDENT * depth + line.strip())
            depth += text == "{"
            line = ""
    return "\n".join([*lines, line.strip()]).rstrip() + "\n"


def _gap(before: str, after: str) -> str:
    return "" if before in "{[(<" or after in "}])>;," else " "
