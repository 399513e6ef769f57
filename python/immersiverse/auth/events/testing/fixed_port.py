"""A port of one's choice for the embedded broker; librdkafka chooses its own. Owns a thread and its loop.

Clients only begin there: the broker's metadata sends them on to its own address.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import BrokerUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

_CHUNK = 65_536  # bytes


@contextmanager
def fixed_port(port: int, bootstrap: str) -> Iterator[str]:
    """Pass what comes to a port of localhost on to a broker.

    Args:
        port: the port; 0 for none.
        bootstrap: the broker's address, or several with commas.

    Yields:
        The address for clients.

    Raises:
        BrokerUnavailable: the port cannot be listened on.
    """
    if not port:
        yield bootstrap
        return
    loop = asyncio.new_event_loop()
    try:
        server = loop.run_until_complete(asyncio.start_server(_passing_to(bootstrap), "localhost", port))
    except OSError as error:
        loop.close()
        raise BrokerUnavailable(f"cannot listen on localhost:{port}: {error.strerror}") from error
    thread = threading.Thread(target=loop.run_forever, name="fixed-port", daemon=True)
    thread.start()
    try:
        yield f"localhost:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _passing_to(bootstrap: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    host, _, port = bootstrap.partition(",")[0].rpartition(":")

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            from_broker, to_broker = await asyncio.open_connection(host, int(port))
            await asyncio.gather(_copy(reader, to_broker), _copy(from_broker, writer))

    return connected


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
    finally:
        sink.close()


async def _end(server: asyncio.Server) -> None:
    """Close the port and what came through it."""
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
