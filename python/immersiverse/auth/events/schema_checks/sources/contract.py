"""The contract as it is now: of the checkout around a folder, else of the installed package."""

from __future__ import annotations

from pathlib import Path

from immersiverse.auth.events.catalog import CONTRACT_FILE, OPTIONS_FILE
from immersiverse.auth.events.descriptors import identity
from immersiverse.auth.events.schema_checks.sources.files import Folder, tree_version
from immersiverse.auth.events.schema_checks.version import ContractVersion
from immersiverse.auth.events.version import __version__

_PROTO = "proto"


def checkout(inside: Path) -> Path | None:
    """The root of the checkout of this contract that a folder is in; None if it is in none."""
    for folder in (inside, *inside.parents):
        if (folder / _PROTO / CONTRACT_FILE.name).is_file():
            return folder
    return None


def current_contract(inside: Path | None = None) -> ContractVersion:
    """The contract of the checkout that a folder is in, else the installed one.

    Args:
        inside: the folder; the working one unless given.

    Raises:
        InvalidSchema: the checkout's .proto files are not valid.
        MissingExtra: they cannot be compiled without grpcio-tools.
    """
    root = checkout((inside or Path.cwd()).resolve())
    return installed_contract() if root is None else tree_version(Folder(root / _PROTO), "", "this checkout")


def installed_contract() -> ContractVersion:
    """The contract that this package was made from."""
    known = {file.name: file for file in (CONTRACT_FILE, OPTIONS_FILE)}
    return ContractVersion.of_files(f"immersiverse-auth-events {__version__}", known, known)


def is_installed(version: ContractVersion) -> bool:
    """Whether a version is what this package was made from, so that its Avro schema is the one here."""
    found = version.file(CONTRACT_FILE.name)
    return found is not None and identity(found.root) == identity(CONTRACT_FILE)
