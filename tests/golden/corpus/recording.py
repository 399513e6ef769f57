"""Record a release, once: its corpus, its contract, its wheel, and the digests of it all."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

from golden.corpus.cases import cases
from golden.corpus.forms import Schemas, written
from golden.corpus.release import AVRO, CONTRACT_FILE, DESCRIPTORS, EVENTS, SUMS, sums
from immersiverse.auth.events.catalog import CONTRACT_FILE as CONTRACT
from immersiverse.auth.events.serialization.avro import schema_text
from immersiverse.auth.events.version import __version__

ROOT = Path(__file__).parents[3]


class NotRecorded(Exception):
    """Why a release cannot be recorded."""


def record(version: str, golden: Path) -> Path:
    """Record this version; its folder.

    Args:
        version: what the version must be called.
        golden: where recorded releases lie.

    Raises:
        NotRecorded: it is recorded already, or this is another version, or the wheel cannot be built.
    """
    folder = golden / version
    if folder.exists():
        raise NotRecorded(f"{version} is recorded in {folder}, and recorded releases are never written again")
    if version != __version__:
        raise NotRecorded(f"this is version {__version__}, not {version}: see version.py")
    golden.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=golden, prefix=".recording-") as scratch:
        fresh = Path(scratch) / version
        _write_corpus(fresh / EVENTS)
        contract_descriptors(fresh)
        (fresh / AVRO).write_text(schema_text())
        build_wheel(fresh)
        lines = (f"{digest}  {name}\n" for name, digest in sums(fresh).items())
        (fresh / SUMS).write_text("".join(lines))
        fresh.rename(folder)
    return folder


def contract_descriptors(folder: Path, source: Path = ROOT) -> Path:
    """Compile the contract of a tree into a folder, with all that it imports, without comments.

    The bindings' own descriptors do not serve: they lack the JSON names that buf compares.

    Raises:
        NotRecorded: it cannot be compiled.
    """
    found = folder / DESCRIPTORS
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    where = [
        f"--proto_path={source / 'proto'}",
        f"--proto_path={well_known}",
        f"--descriptor_set_out={found}",
    ]
    if protoc.main(["protoc", *where, "--include_imports", CONTRACT_FILE]):
        raise NotRecorded("the contract cannot be compiled")
    return found


def build_wheel(folder: Path, source: Path = ROOT) -> Path:
    """Build the wheel of a tree into a folder.

    Raises:
        NotRecorded: it cannot be built.
    """
    uv = shutil.which("uv", path=str(Path(sys.prefix) / "bin")) or shutil.which("uv")
    if uv is None:
        raise NotRecorded("uv is missing: run scripts/environment")
    done = subprocess.run(
        [uv, "build", "--quiet", "--wheel", "--out-dir", folder, source],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise NotRecorded(f"the wheel cannot be built: {done.stderr.strip()}")
    (folder / ".gitignore").unlink(missing_ok=True)  # uv's, which would keep the wheel out of git
    return next(folder.glob("*.whl"))


def _write_corpus(folder: Path) -> None:
    folder.mkdir(parents=True)
    schemas = Schemas(CONTRACT, schema_text())
    corpus: dict[str, dict[str, object]] = {}
    for case in cases():
        forms = written(case.event, schemas).document()
        corpus.setdefault(case.event_type, {})[case.name] = forms
    for event_type, documents in corpus.items():
        text = json.dumps(documents, indent=1, ensure_ascii=False)
        (folder / f"{event_type}.json").write_text(f"{text}\n")
