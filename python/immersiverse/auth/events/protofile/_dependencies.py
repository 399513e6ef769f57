"""The files that a file can see, and the ones that those need in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events.protofile._symbols import Symbols, symbols_of, well_known_symbols
from immersiverse.auth.events.protofile._wellknown import is_well_known, well_known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    _Onward = Callable[[FileDescriptorProto], Iterable[str]]

DESCRIPTOR_PROTO = "google/protobuf/descriptor.proto"


class Dependencies:
    """Files by import path: those given, and behind them those that the runtime ships."""

    def __init__(self, given: Mapping[str, FileDescriptorProto]) -> None:
        self._given = given

    def visible(self, imports: Iterable[str]) -> Symbols:
        """What a file with these imports can name: their declarations and what they import publicly."""
        return self._gather(
            imports, lambda file: [file.dependency[index] for index in file.public_dependency]
        )

    def reachable(self, imports: Iterable[str]) -> Symbols:
        """Everything behind these imports, and the options' own definitions."""
        return self._gather((DESCRIPTOR_PROTO, *imports), lambda file: file.dependency)

    def missing(self, imports: Iterable[str]) -> list[str]:
        """The imports that are neither given nor shipped."""
        return [path for path in imports if path not in self._given and not is_well_known(path)]

    def _gather(self, imports: Iterable[str], onward: _Onward) -> Symbols:
        symbols, waiting, seen = Symbols(), list(imports), set[str]()
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            file = self._given.get(path)
            if file is None:
                symbols.include(well_known_symbols(path))
                file = well_known(path) or FileDescriptorProto()
            else:
                symbols.include(symbols_of(file))
            waiting += onward(file)
        return symbols


def definitions(file: FileDescriptorProto, extensions: Iterable[FileDescriptorProto]) -> Symbols:
    """What can define a file's options: the file itself, the files given, those that the runtime ships."""
    given = {extension.name: extension for extension in extensions}
    symbols = Symbols()
    symbols.include(Dependencies(given).reachable([*file.dependency, *given]))
    symbols.include(symbols_of(file))
    return symbols
