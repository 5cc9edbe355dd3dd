"""Registers an open socket, and waits for data on it."""

import asyncio
import socket


async def wait_for_data():
    loop = asyncio.get_running_loop()

    # Two sockets that are connected to each other.
    rsock, wsock = socket.socketpair()

    # The open one becomes a reader and a writer.
    reader, writer = await asyncio.open_connection(sock=rsock)

    # Simulate data from the network.
    loop.call_soon(wsock.send, b"abc")

    data = await reader.read(100)

    # Done: close the sockets.
    print("Received:", data.decode())
    writer.close()
    await writer.wait_closed()
    wsock.close()


asyncio.run(wait_for_data())
