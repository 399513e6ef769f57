"""Names and passwords of a registry: kept out of URLs, which HTTP clients log, and out of errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from immersiverse.auth.events.errors import RegistryRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

USER_INFO: Final = "basic.auth.user.info"
_SCHEMES: Final = ("http", "https")
_UNPRINTED: Final = "***"


def without_user_info(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of Confluent's client with its URLs' name and password in a setting of their own.

    As that client does it, the first URL's hold for all of several (separated by commas).

    Raises:
        RegistryRefused: if a URL cannot be understood, or names and passwords contradict each other; the
            message shows none of them.
    """
    urls = config.get("url")
    if not isinstance(urls, str):
        raise _wrong("it has no url")
    parts = [_split(url.strip()) for url in urls.split(",")]
    found = {_user_info(part) for part in parts} - {None}
    bare = ",".join(part._replace(netloc=_place(part)).geturl() for part in parts)
    if not found:
        return {**config, "url": bare}
    if USER_INFO in config:
        raise _wrong(f"it has a name and password in the URL and in {USER_INFO}; leave the latter only")
    if len(found) > 1 or _user_info(parts[0]) is None:
        raise _wrong(f"its URLs have different names or passwords; give one for all as {USER_INFO}")
    return {**config, "url": bare, USER_INFO: found.pop()}


def blanked(text: str, config: Mapping[str, Any]) -> str:
    """The text without any value of the configuration: which of them are secret is not known here."""
    values = {value for value in config.values() if isinstance(value, str) and value}
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, _UNPRINTED)
    return text


def _split(url: str) -> SplitResult:
    """The parts of a URL; one with an "@" behind its host holds a password that was not escaped."""
    try:
        part = urlsplit(url)
        _ = part.port  # which is checked when it is asked for
    except ValueError:
        part = SplitResult("", "", "", "", "")
    if part.scheme not in _SCHEMES or not part.hostname or "@" in part.path + part.query + part.fragment:
        # Not even a part of it: what precedes an "@", or follows a ":", may be a password.
        raise _wrong(
            "its URL is not of the form http://HOST:PORT or https://HOST:PORT "
            f"(give a name and password as {USER_INFO}, or percent-encoded)"
        )
    return part


def _user_info(part: SplitResult) -> str | None:
    if "@" not in part.netloc:
        return None
    return f"{unquote(part.username or '')}:{unquote(part.password or '')}"


def _place(part: SplitResult) -> str:
    return part.netloc.rpartition("@")[2]


def _wrong(reason: str) -> RegistryRefused:
    return RegistryRefused(f"this configuration of the schema registry is wrong: {reason}", 0)
