"""Sends a message to the echo server, and reads it back.

    echo_client.py [HOST PORT [MESSAGE]]
"""

import asyncio
import sys


async def main(host="127.0.0.1", port="8888", message="Hello World!"):
    reader, writer = await asyncio.open_connection(host, int(port))

    print(f"Send: {message!r}")
    writer.write(message.encode())
    await writer.drain()

    data = await reader.read(100)
    print(f"Received: {data.decode()!r}")

    print("Close the connection")
    writer.close()
    await writer.wait_closed()


asyncio.run(main(*sys.argv[1:]))
