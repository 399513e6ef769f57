"""The contract as it is now: of the checkout at hand, else of the installed package."""

from __future__ import annotations

from pathlib import Path

from immersiverse.auth.events.compatibility import Schema
from immersiverse.auth.events.descriptors import identity
from immersiverse.auth.events.gate.parsing import tree_version
from immersiverse.auth.events.gate.texts import Folder
from immersiverse.auth.events.gate.version import Version
from immersiverse.auth.events.registry.contract import OPTIONS_FILE
from immersiverse.auth.events.serialization.schemas import CONTRACT_FILE
from immersiverse.auth.events.version import __version__

_PROTO = "proto"


def checkout(inside: Path) -> Path | None:
    """The root of the checkout of this contract that a folder is in; None if it is in none."""
    for folder in (inside, *inside.parents):
        if (folder / _PROTO / CONTRACT_FILE.name).is_file():
            return folder
    return None


def current_contract(inside: Path | None = None) -> Version:
    """The contract of the checkout that a folder is in, else the installed one.

    Args:
        inside: the folder; the working one unless given.

    Raises:
        InvalidSchema: the checkout's .proto files are not valid.
    """
    root = checkout((inside or Path.cwd()).resolve())
    return installed_contract() if root is None else tree_version(Folder(root / _PROTO), "", "this checkout")


def installed_contract() -> Version:
    """The contract that this package was made from."""
    options = Schema(OPTIONS_FILE)
    contract = Schema(CONTRACT_FILE, {OPTIONS_FILE.name: OPTIONS_FILE})
    return Version(f"immersiverse-auth-events {__version__}", (contract, options))


def is_installed(version: Version) -> bool:
    """Whether a version says what this package was made from, so that its Avro schema follows, too."""
    found = version.file(CONTRACT_FILE.name)
    return found is not None and identity(found.root) == identity(CONTRACT_FILE)
