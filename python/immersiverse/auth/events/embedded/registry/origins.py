"""Which requests a web page could have made: they are refused, since the registry asks for no credentials.

A page of any site can have its reader's browser send simple requests to an address on the same machine, and
can read the answers, too, once its own name leads to that address (DNS rebinding).

Source: Fetch standard, "CORS-safelisted request-header"; RFC 6454 for Origin; RFC 6761, RFC 6762 for names.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from immersiverse.auth.events.embedded.registry.refusals import Refusal

if TYPE_CHECKING:
    from email.message import Message

_RESERVED = (".localhost", ".local", ".internal", ".test")
_JSON = ("application/json", "application/octet-stream")
_VENDORS = "application/vnd.schemaregistry"


def refuse_foreign(headers: Message, own_host: str) -> None:
    """Refuse a request to a name that may be a site's, and one that a page of another site made.

    Args:
        headers: of the request.
        own_host: the name or address that the registry listens on.

    Raises:
        Refusal: 403.
    """
    host = _name(f"//{headers.get('Host', '')}")
    if host and not _is_local(host) and host not in {own_host.lower(), socket.gethostname().lower()}:
        raise Refusal(403, f"The registry is not served as {host}: ask for its address, or a local name")
    origin = headers.get("Origin")
    if origin is not None and _name(origin) != host and not _is_loopback(_name(origin)):
        raise Refusal(403, f"Pages of {origin} may not use the registry")


def refuse_simple(headers: Message) -> None:
    """Refuse a body of a type that a page may send anywhere without asking: text and forms.

    Raises:
        Refusal: 415.
    """
    content_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type not in _JSON and not content_type.startswith(_VENDORS):
        raise Refusal(
            415, f"The Content-Type is {content_type or 'missing'}, not {_VENDORS}.v1+json or {_JSON[0]}"
        )


def _name(url: str) -> str:
    """The host in a URL; empty if there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_local(name: str) -> bool:
    """Whether no site on the internet can have this name: an address, a single word, or a reserved suffix."""
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
