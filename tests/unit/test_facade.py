"""The public names: complete, the same for people and type checkers, and cheap to import."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

import immersiverse.auth.events as facade
from immersiverse.auth.events import catalog, errors
from immersiverse.auth.events.v1 import events_pb2

ROOT = Path(__file__).resolve().parents[2]


def for_type_checkers() -> dict[str, str]:
    """The names under ``if TYPE_CHECKING:``, with the modules that they come from."""
    tree = ast.parse(Path(facade.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert len(imports) == len(block.body)
    return {name.asname or name.name: str(node.module) for node in imports for name in node.names}


def test_type_checkers_see_the_names_that_are_there() -> None:
    there = {name: f"{facade.__name__}.{home}" for name, home in facade._HOME.items()}
    assert for_type_checkers() == {**there, "catalog": facade.__name__}


def test_names_are_said_under_their_own_name_so_that_they_are_exported() -> None:
    tree = ast.parse(Path(facade.__file__).read_text())
    names = [name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names]
    assert all(name.asname in (None, name.name) for name in names)


@pytest.mark.parametrize("name", facade.__all__)
def test_every_public_name_is_there(name: str) -> None:
    value = getattr(facade, name)
    assert name in dir(facade)
    if isinstance(value, type):
        assert value.__name__ == name


def test_every_message_and_enum_of_the_contract_is_public() -> None:
    file = events_pb2.DESCRIPTOR
    assert {*file.message_types_by_name, *file.enum_types_by_name} <= set(facade.__all__)
    assert {each.message for each in catalog.EVENT_TYPES.values()} <= {
        getattr(facade, n) for n in facade.__all__
    }


def test_every_error_is_public() -> None:
    defined = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    }
    assert defined <= set(facade.__all__)


def test_no_public_name_is_said_twice() -> None:
    assert len(set(facade.__all__)) == len(facade.__all__)


def test_other_names_are_missed_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match="no attribute 'UserVanished'"):
        _ = facade.UserVanished


def test_the_namespace_is_shared_with_other_packages() -> None:
    import immersiverse.auth  # noqa: PLC0415 - it is what is looked at

    shared: list[ModuleType] = [immersiverse, immersiverse.auth]
    assert [module.__file__ for module in shared] == [None, None]


def imported_in_documents() -> list[tuple[str, str, str]]:
    """What the Python of README and docs imports from this package: the document, the module, the name."""
    found = []
    for document in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for block in re.findall(r"```python\n(.*?)```", document.read_text(), re.DOTALL):
            for node in ast.walk(ast.parse(block)):
                if isinstance(node, ast.ImportFrom) and str(node.module).startswith(facade.__name__):
                    found += [(document.name, str(node.module), each.name) for each in node.names]
    return found


def test_documents_import_public_names_and_nothing_else() -> None:
    found = imported_in_documents()
    assert len(found) > 20
    assert {module for _, module, _ in found} == {facade.__name__}
    assert {name for _, _, name in found} <= set(facade.__all__)
