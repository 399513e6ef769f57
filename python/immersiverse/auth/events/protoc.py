"""protoc: .proto text compiled to descriptors, by grpcio-tools in a process of its own.

Text that others registered is compiled here too. protoc may crash on it, loop, or ask for all memory: so it
never runs inside this process, and the one it runs in has limits.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import DecodeError

from immersiverse.auth.events.descriptors import drop_default_json_names
from immersiverse.auth.events.errors import CompilationTimeout, InvalidSchema, MissingExtra
from immersiverse.auth.events.printable import capped, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TIMEOUT: Final = 30.0
"""Seconds until protoc is ended; the contract takes a tenth of one."""

MAX_MEMORY: Final = 2 * 2**30
"""Bytes of address space that protoc may have, where the system can limit it."""

MAX_OUTPUT: Final = 64 * 2**20
"""Bytes of descriptors, and of error messages, that protoc may write."""

# -P of the interpreter and these lines keep the folder of foreign files off sys.path.
_PROTOC = f"""
try:
    import resource
except ImportError:  # Windows
    limits = ()
else:
    limits = (
        (resource.RLIMIT_AS, {MAX_MEMORY}), (resource.RLIMIT_FSIZE, {MAX_OUTPUT}), (resource.RLIMIT_CORE, 0)
    )
for name, most in limits:
    try:
        resource.setrlimit(name, (most, most))
    except (OSError, ValueError):  # a lower limit holds already, or the system has none
        pass
from grpc_tools.protoc import entrypoint
entrypoint()
"""
_SHOWN_ERRORS = 3
_MAX_PATH = 1000
_PLACE = re.compile(r".+:\d+:\d+: ")


def installed() -> bool:
    """Whether grpcio-tools, which brings protoc, is installed."""
    return find_spec("grpc_tools") is not None


def compile_files(
    texts: Mapping[str, str],
    *,
    descriptors: Iterable[FileDescriptorProto] = (),
    timeout: float = TIMEOUT,
) -> dict[str, FileDescriptorProto]:
    """Compile .proto files, all of them in one run of protoc: some 60 ms, most of it the start of a process.

    Args:
        texts: the files by import path. What they import is among them, in `descriptors`, or one of the
            google/protobuf files, which grpcio-tools brings.
        descriptors: imported files that are there as descriptors only, with their names, and all that those
            import. A text of the same path comes before them.
        timeout: seconds until protoc is ended.

    Returns:
        The descriptor of each text by path, as generated code carries it: without source information and
        without JSON names that follow from the field's name. Custom options are extensions if the default
        descriptor pool has them, else unknown fields.

    Raises:
        InvalidSchema: a text is not valid, or an import is missing; the message begins with
            ``path:line:column: ``. Or protoc crashed, or exceeded a limit.
        MissingExtra: grpcio-tools is not installed.
    """
    if not installed():
        raise MissingExtra("cli", "compiling .proto text")
    for path in texts:
        if not is_import_path(path):
            raise InvalidSchema(f"{capped(printable(path), 100)!r} is not an import path")
    if not texts:
        return {}
    with TemporaryDirectory(prefix="auth-events-protoc-") as folder:
        compiled = _run(Path(folder), texts, descriptors, timeout)
    for file in compiled.file:
        drop_default_json_names(file)
    return {file.name: file for file in compiled.file}


def _run(
    folder: Path, texts: Mapping[str, str], descriptors: Iterable[FileDescriptorProto], timeout: float
) -> FileDescriptorSet:
    source, known, arguments, out = (folder / name for name in ("source", "known", "arguments", "out"))
    _write_texts(source, texts)
    known.write_bytes(FileDescriptorSet(file=descriptors).SerializeToString())
    options = [f"-I{source}", f"--descriptor_set_in={known}", f"--descriptor_set_out={out}"]
    # In a file, since a command line has not room for the paths of any tree.
    arguments.write_text("\n".join([*options, *texts]), encoding="utf-8")
    _execute(arguments, source, folder / "errors", timeout)
    try:
        return FileDescriptorSet.FromString(out.read_bytes())
    except (DecodeError, OSError) as error:
        raise InvalidSchema("protoc wrote no descriptor that can be read") from error


def _write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    for path, text in texts.items():
        try:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(text.encode())
        except UnicodeEncodeError as error:
            raise InvalidSchema(f"{path} cannot be written in UTF-8: {error.reason}") from error
        except OSError as error:
            raise InvalidSchema(f"cannot write {path} for protoc: {error.strerror}") from error


def _execute(arguments: Path, source: Path, errors: Path, timeout: float) -> None:
    command = [sys.executable, "-P", "-c", _PROTOC, f"@{arguments}"]
    try:
        with errors.open("wb") as stderr:
            done = subprocess.run(  # noqa: S603 - the interpreter and arguments are ours
                command, check=False, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr, timeout=timeout
            )
    except subprocess.TimeoutExpired:
        raise CompilationTimeout(f"protoc did not finish within {timeout:g} s") from None
    except OSError as error:
        raise InvalidSchema(f"cannot run protoc: {error.strerror}") from error
    if done.returncode:
        with errors.open(encoding="utf-8", errors="replace") as written:
            raise InvalidSchema(_reason(written.read(2**16).replace(f"{source}/", ""), done.returncode))


def _reason(written: str, code: int) -> str:
    lines = list(dict.fromkeys(written.splitlines()))
    found = [line for line in lines if _PLACE.match(line) and ": warning: " not in line]
    if code != 1 or not found:
        found = [f"protoc ended with code {code}", *lines[-1:]]
    more = f"; and {len(found) - _SHOWN_ERRORS} more" if len(found) > _SHOWN_ERRORS else ""
    return capped(printable("; ".join(found[:_SHOWN_ERRORS]) + more))


def is_import_path(path: str) -> bool:
    """Whether a path stays in the folder that import paths begin at, and cannot be an option of protoc."""
    strange = {"", ".", ".."} & set(path.split("/")) or "\\" in path or path[0] in "-@"
    return not strange and path.isprintable() and len(path) <= _MAX_PATH
