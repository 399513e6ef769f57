"""One version of a Protobuf schema: a file, and the files that it imports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet


@dataclass(frozen=True)
class Schema:
    """One version of a schema, as a registry holds it.

    Attributes:
        root: the file under judgement.
        dependencies: the files it imports, directly or not, by their import path. ``google/protobuf/*.proto``
            may be left out. A type of any other missing file is compared by its name alone.
    """

    root: FileDescriptorProto
    dependencies: Mapping[str, FileDescriptorProto] = field(default_factory=dict)

    @classmethod
    def from_set(cls, files: FileDescriptorSet, root: str) -> Self:
        """Take one file of a descriptor set, with all others as its dependencies.

        Args:
            files: what ``protoc --include_imports --descriptor_set_out`` or ``buf build`` writes.
            root: the import path of the file under judgement.

        Raises:
            InvalidSchema: the set holds no such file.
        """
        by_name = {file.name: file for file in files.file}
        if root not in by_name:
            raise InvalidSchema(
                f"the descriptor set holds no file {root!r}, only {', '.join(by_name) or 'none'}"
            )
        return cls(by_name.pop(root), by_name)
