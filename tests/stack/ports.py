"""Free ports on the loopback address."""

from __future__ import annotations

import random
import socket
from itertools import islice

# Below every system's ephemeral range: a client that reconnects to a dead broker's ephemeral port can be
# given that very port as its own, connect to itself and keep the broker from coming back.
CANDIDATES = range(15_000, 30_000)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that no process listens on, all different."""
    candidates = random.SystemRandom().sample(CANDIDATES, k=len(CANDIDATES))
    return list(islice(filter(_is_free, candidates), count))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
