"""How the server's socket is made."""

from __future__ import annotations

import asyncio
import socket

from luthier.server.serve import Spec, _listen


def test_what_is_written_is_sent_at_once() -> None:
    """A reply is written in pieces; without TCP_NODELAY the second waits 40 ms for the client to confirm the first."""
    found: list[int] = []

    async def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        found.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async def connect() -> None:
        async with await asyncio.start_server(look, sock=_listen(Spec(port=0))) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            await reader.read()
            writer.close()
            await writer.wait_closed()

    asyncio.run(connect())
    assert found == [1]
