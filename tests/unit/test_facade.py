"""The public names: complete, the same for people and type checkers, and cheap to import."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

import immersiverse.auth.events as facade
from immersiverse.auth.events import catalog, errors, testing
from immersiverse.auth.events.testing import strategies
from immersiverse.auth.events.v1 import events_pb2

ROOT = Path(__file__).resolve().parents[2]


FACADES = pytest.mark.parametrize("module", [facade, testing], ids=lambda module: module.__name__)


def for_type_checkers(module: ModuleType) -> dict[str, str]:
    """The names under ``if TYPE_CHECKING:``, with the modules that they come from."""
    tree = ast.parse(Path(str(module.__file__)).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert len(imports) == len(block.body)
    return {name.asname or name.name: str(node.module) for node in imports for name in node.names}


@FACADES
def test_type_checkers_see_the_names_that_are_there(module: ModuleType) -> None:
    there = {name: f"{module.__name__}.{home}" for name, home in module._HOME.items()}
    submodules = {"catalog": facade.__name__} if module is facade else {}
    assert for_type_checkers(module) == {**there, **submodules}


@FACADES
def test_names_are_said_under_their_own_name_so_that_they_are_exported(module: ModuleType) -> None:
    tree = ast.parse(Path(str(module.__file__)).read_text())
    names = [name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names]
    assert all(name.asname in (None, name.name) for name in names)


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module in (facade, testing) for name in module.__all__]
)
def test_every_public_name_is_there(module: ModuleType, name: str) -> None:
    value = getattr(module, name)
    assert name in dir(module)
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
    public = {each.__name__: set(each.__all__) for each in (facade, testing, strategies)}
    assert {module for _, module, _ in found} == {*public}
    assert [each for each in found if each[2] not in public[each[1]]] == []
