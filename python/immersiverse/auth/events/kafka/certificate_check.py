"""What is wrong with a broker's certificate: librdkafka says only that it could not be verified.

This connects to the broker and blocks: call it in a thread that may wait.
"""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMEOUT: Final = 5.0  # seconds, for each step
_OTHER_NAME: Final = (62, 64)  # OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH


def certificate_problem(address: str, settings: Mapping[str, Any]) -> str:
    """Why a broker's certificate is refused; empty if that cannot be found out.

    Args:
        address: ``host:port``.
        settings: the client's: ``ssl.ca.location`` and ``ssl.ca.pem`` say what it trusts.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        with (
            socket.create_connection((host, int(port)), _TIMEOUT) as plain,
            _context(settings).wrap_socket(plain, server_hostname=host),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        if error.verify_code in _OTHER_NAME:
            return f"the broker's certificate is not for the host name {host}"
        return f"the broker's certificate is not trusted, check ssl.ca.location: {error.verify_message}"
    except (OSError, ValueError):
        return ""


def _context(settings: Mapping[str, Any]) -> ssl.SSLContext:
    pem, location = settings.get("ssl.ca.pem"), settings.get("ssl.ca.location")
    if location in {None, "", "probe"}:
        return ssl.create_default_context(cadata=pem or None)
    if Path(location).is_dir():
        return ssl.create_default_context(capath=location, cadata=pem or None)
    return ssl.create_default_context(cafile=location, cadata=pem or None)
