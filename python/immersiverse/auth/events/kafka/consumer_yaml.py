"""The ``auth-consumer`` block of a YAML file (specification, section 5.1), and the environment over it.

What is written is what is meant: YAML's own types would make 83 of the group id ``0123``, and true of the
password ``yes``. So values are text, and only what is known to be a switch or a number is read as one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.errors import ConfigurationError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Mapping

BLOCK: Final = "auth-consumer"
VARIABLE_PREFIX: Final = "AUTH_CONSUMER_"
REGISTRY_PREFIX: Final = "schema.registry."
_TOPICS = "topics"
# What Kubernetes puts into every pod of a namespace for a service whose name begins like our variables.
_SERVICE_LINK = re.compile(
    r".*_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)
_SWITCH = re.compile(
    r"(.*\.)?enable(\..*)?|check\.crcs|allow\.auto\.create\.topics|socket\.nagle\.disable"
    r"|log\.(queue|thread\.name|connection\.close)|api\.version\.request|delivery\.report\.only\.error"
)
_SWITCH_WORDS: Final = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_REGISTRY_NUMBER = re.compile(
    r"schema\.registry\.(timeout|max\.retries|.*\.ms|cache\.(capacity|latest\.ttl\.sec))"
)
_NUMBER = re.compile(rf".*\.(ms|bytes|kbytes|messages)|{_REGISTRY_NUMBER.pattern}")


@dataclass(frozen=True, slots=True)
class ConsumerBlock:
    """The settings of the block, after overrides.

    Attributes:
        config: librdkafka's settings, as text.
        registry: the settings of a schema registry's client; empty if none is named.
        topics: what to read; empty if none are named.
        origins: where each setting comes from: the file or a variable, for errors.
        file: the file.
    """

    config: dict[str, str]
    registry: dict[str, str | int]
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


def read_settings(path: str | Path) -> dict[str, str]:
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
    settings = {key: _setting(key, value, str(path)) for key, value in document.items() if key != _TOPICS}
    return {key: value for key, value in settings.items() if not key.startswith(REGISTRY_PREFIX)}


def _document(path: str | Path) -> Any:
    try:
        import yaml  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra("yaml", "reading YAML") from error
    try:
        # Made of SafeLoader.
        return yaml.load(Path(path).read_text(encoding="utf-8-sig"), _text_loader())  # noqa: S506
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL, text that is not UTF-8
        raise ConfigurationError(BLOCK, f"cannot be read from {path}: {error}") from error
    except yaml.YAMLError as error:
        # The error and its cause quote the line, which may hold a password.
        raise ConfigurationError(BLOCK, f"{path} is not valid YAML{_line_of(error)}") from None


@cache
def _text_loader() -> Any:
    """PyYAML's safe loader without types but text and nothing."""
    import yaml  # noqa: PLC0415 - an extra

    kept = ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")
    resolvers = {
        first: [(tag, pattern) for tag, pattern in found if tag in kept]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return type("TextLoader", (yaml.SafeLoader,), {"yaml_implicit_resolvers": resolvers})


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
        if name.startswith(VARIABLE_PREFIX) and not _SERVICE_LINK.fullmatch(name)
    }
    settings = {
        key: _setting(key, value, f"{file}, {BLOCK}") for key, value in block.items() if key != _TOPICS
    }
    settings |= {key: environ[name] for key, name in overrides.items() if key != _TOPICS}
    topics = _topics(block.get(_TOPICS), file)
    if name := overrides.get(_TOPICS):
        topics = tuple(filter(None, map(str.strip, environ[name].split(","))))
    origins = dict.fromkeys(block, f"{file}, {BLOCK}") | {
        key: f"the environment, {name}" for key, name in overrides.items()
    }
    registry: dict[str, str | int] = {
        key.removeprefix(REGISTRY_PREFIX): int(value) if _REGISTRY_NUMBER.fullmatch(key) else value
        for key, value in settings.items()
        if key.startswith(REGISTRY_PREFIX)
    }
    config = {key: value for key, value in settings.items() if not key.startswith(REGISTRY_PREFIX)}
    return ConsumerBlock(config, registry, topics, origins, file)


def _setting(key: Any, value: Any, where: str) -> str:
    if not isinstance(key, str):
        raise ConfigurationError(str(key), f"is not the name of a setting (in {where})")
    if not isinstance(value, str):
        found = "nothing" if value is None else f"a {type(value).__name__}"
        raise ConfigurationError(key, f"must be one value, not {found} (in {where})")
    if _SWITCH.fullmatch(key):
        return _SWITCH_WORDS.get(value.lower(), value.lower())
    if _NUMBER.fullmatch(key):  # librdkafka reads 30 of 30s and 45_000, and 83 of 0123
        try:
            return str(int(value))
        except ValueError as error:
            raise ConfigurationError(key, f"must be a whole number (in {where})") from error
    return value


def _topics(found: Any, file: str) -> tuple[str, ...]:
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(topic, str) and topic for topic in found):
        raise ConfigurationError(_TOPICS, f"must be a list of names (in {file}, {BLOCK})")
    return tuple(found)
