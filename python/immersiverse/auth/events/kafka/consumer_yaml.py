"""The ``auth-consumer`` block of a YAML file (specification, section 5.1), and the environment over it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.errors import ConfigurationError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Mapping

BLOCK: Final = "auth-consumer"
VARIABLE_PREFIX: Final = "AUTH_CONSUMER_"
_TOPICS = "topics"


@dataclass(frozen=True, slots=True)
class ConsumerBlock:
    """The settings of the block, after overrides.

    Attributes:
        config: librdkafka's settings.
        topics: what to read; empty if none are named.
        origins: where each setting comes from: the file or a variable, for errors.
        file: the file.
    """

    config: dict[str, Any]
    topics: tuple[str, ...]
    origins: dict[str, str]
    file: str

    def with_origin(self, error: ConfigurationError) -> ConfigurationError:
        """An error of a setting, with where the setting comes from."""
        origin = self.origins.get(error.key, f"{self.file}, {BLOCK}")
        return ConfigurationError(error.key, f"{str(error).removeprefix(f'{error.key}: ')} (in {origin})")


def read_yaml(path: str | Path, environ: Mapping[str, str]) -> ConsumerBlock:
    """The block of a file, with overrides from the environment.

    Raises:
        ConfigurationError: with the key and the file, if it cannot be read or is invalid.
        MissingExtra: if PyYAML is not installed.
    """
    return consumer_block(_document(path), str(path), environ)


def read_settings(path: str | Path) -> dict[str, Any]:
    """The librdkafka settings in a file: a mapping, or the only mapping in a mapping, such as the block.

    Raises:
        ConfigurationError: with the key and the file, if it cannot be read or holds something else.
        MissingExtra: if PyYAML is not installed.
    """
    document = _document(path)
    if isinstance(document, dict) and len(document) == 1:
        (only,) = document.values()
        document = only if isinstance(only, dict) else document
    if not isinstance(document, dict):
        raise ConfigurationError(str(path), "must be a mapping of settings")
    return {key: _scalar(key, value, str(path)) for key, value in document.items() if key != _TOPICS}


def _document(path: str | Path) -> Any:
    try:
        import yaml  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra("cli", "reading YAML") from error
    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(BLOCK, f"cannot be read from {path}: {error}") from error
    except yaml.YAMLError as error:
        # The error's text and cause quote the line, which may hold a password.
        raise ConfigurationError(BLOCK, f"{path} is not valid YAML{_line_of(error)}") from None


def _line_of(error: Any) -> str:
    mark = getattr(error, "problem_mark", None)
    return "" if mark is None else f": see line {mark.line + 1}"


def consumer_block(document: Any, file: str, environ: Mapping[str, str]) -> ConsumerBlock:
    """The block of a parsed document, with overrides from the environment.

    Args:
        document: what the file holds.
        file: its name, for errors.
        environ: variables: ``AUTH_CONSUMER_GROUP_ID`` overrides ``group.id``, and so on.

    Raises:
        ConfigurationError: with the key and the file or variable, if it is invalid.
    """
    block = document.get(BLOCK) if isinstance(document, dict) else None
    if not isinstance(block, dict):
        raise ConfigurationError(BLOCK, f"{file} has no such block of settings")
    overrides = {
        name.removeprefix(VARIABLE_PREFIX).lower().replace("_", "."): name
        for name in environ
        if name.startswith(VARIABLE_PREFIX)
    }
    settings = {
        key: _scalar(key, value, f"{file}, {BLOCK}") for key, value in block.items() if key != _TOPICS
    }
    settings |= {key: environ[name] for key, name in overrides.items() if key != _TOPICS}
    topics = _topics(block.get(_TOPICS), file)
    if name := overrides.get(_TOPICS):
        topics = tuple(filter(None, map(str.strip, environ[name].split(","))))
    origins = dict.fromkeys(block, f"{file}, {BLOCK}") | {
        key: f"the environment, {name}" for key, name in overrides.items()
    }
    return ConsumerBlock(settings, topics, origins, file)


def _scalar(key: Any, value: Any, where: str) -> str | int | float | bool:
    if not isinstance(key, str):
        raise ConfigurationError(str(key), f"is not the name of a setting (in {where})")
    if not isinstance(value, str | int | float | bool):
        found = "nothing" if value is None else f"a {type(value).__name__}"
        raise ConfigurationError(key, f"must be one value, not {found} (in {where})")
    return value


def _topics(found: Any, file: str) -> tuple[str, ...]:
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(topic, str) and topic for topic in found):
        raise ConfigurationError(_TOPICS, f"must be a list of names (in {file}, {BLOCK})")
    return tuple(found)
