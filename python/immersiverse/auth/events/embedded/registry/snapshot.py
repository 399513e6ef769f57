"""The registry's state in a file, for those who want it to outlive the process."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from immersiverse.auth.events.embedded.registry.records import JSON, Content, Reference, Version
from immersiverse.auth.events.embedded.registry.store import Settings, Store
from immersiverse.auth.events.errors import RegistryError

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1


def load(path: Path) -> Store:
    """The state in the file; an empty one if there is no file yet.

    Raises:
        RegistryError: the file cannot be read, or is not such a file.
    """
    try:
        return parse(path.read_bytes())
    except FileNotFoundError:
        return Store()
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise RegistryError(f"{path} holds no registry's state: {error}") from error


def save(text: bytes, path: Path) -> None:
    """Put the state in the file's place in one step, so that a crash leaves the old or the new.

    Raises:
        OSError: the file cannot be written; the old one is as it was.
    """
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(text)
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def parse(text: bytes) -> Store:
    """The state in a text. Raises whatever a text that holds none leads to."""
    return _store(json.loads(text))


def written(store: Store) -> bytes:
    """The state as a text."""
    document: JSON = {
        "format": FORMAT,
        "next_id": store.next_id,
        "contents": {number: asdict(content) for number, content in store.contents.items()},
        "versions": [asdict(version) for version in store.every_version(deleted=True)],
        "levels": asdict(store.levels),
        "modes": asdict(store.modes),
    }
    return json.dumps(document, indent=1).encode()


def _store(document: JSON) -> Store:
    if document["format"] != FORMAT:
        raise ValueError(f"its format is {document['format']!r}, not {FORMAT}")
    store = Store(
        contents={int(number): _content(held) for number, held in document["contents"].items()},
        levels=Settings(**document["levels"]),
        modes=Settings(**document["modes"]),
        next_id=document["next_id"],
    )
    for held in document["versions"]:
        store.keep(Version(**held))
    return store


def _content(held: JSON) -> Content:
    references = tuple(Reference(**reference) for reference in held["references"])
    return Content(**{**held, "references": references})
