"""Who may use the registry: not web pages.

It asks for no passwords. A page of any site can make its reader's browser send simple requests to an address
on the same machine. If the site's own name leads to that address (DNS rebinding), it can read the answers.

Source: Fetch standard, "CORS-safelisted request-header"; RFC 6454 for Origin; RFC 6761, RFC 6762 for names.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from immersiverse.auth.events.testing.registry.store import ApiError

if TYPE_CHECKING:
    from starlette.datastructures import Headers

CONTENT_TYPE: Final = "application/vnd.schemaregistry.v1+json"

_JSON = ("application/json", "application/octet-stream")
_VENDOR = "application/vnd.schemaregistry"
_RESERVED = (".localhost", ".local", ".internal", ".test")


def check_caller(headers: Headers, own_host: str) -> None:
    """Refuse a request to a name that may be a site's, and one that a page of another site made.

    Args:
        headers: of the request.
        own_host: the name or address that the registry listens on.

    Raises:
        ApiError: 403.
    """
    host = _host_in(f"//{headers.get('Host', '')}")
    if host and not _is_local(host) and host not in {own_host.lower(), socket.gethostname().lower()}:
        raise ApiError(403, f"the registry does not answer as {host}: use its address, or a local name")
    origin = headers.get("Origin")
    if origin is not None and _host_in(origin) != host and not _is_loopback(_host_in(origin)):
        raise ApiError(403, f"pages of {origin} may not use the registry")


def check_content_type(headers: Headers) -> None:
    """Refuse a body of a type that a page may send to any site: text and forms.

    Raises:
        ApiError: 415.
    """
    given = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if given not in _JSON and not given.startswith(_VENDOR):
        raise ApiError(415, f"the Content-Type is {given or 'missing'}, not {CONTENT_TYPE} or {_JSON[0]}")


def _host_in(url: str) -> str:
    """The host in a URL; empty if there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_local(name: str) -> bool:
    """Whether no site on the internet can have a name: an address, a single word, or a reserved suffix."""
    return "." not in name or _is_address(name) or name.endswith(_RESERVED)


def _is_loopback(name: str) -> bool:
    if _is_address(name):
        return ip_address(name).is_loopback
    return name == "localhost" or name.endswith(".localhost")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
