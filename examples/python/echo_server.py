"""Sends back the first message of each client, and closes the connection.

    echo_server.py [HOST PORT]
"""

import asyncio
import sys


async def handle_echo(reader, writer):
    data = await reader.read(100)
    message = data.decode()
    peer = writer.get_extra_info("peername")
    print(f"Received {message!r} from {peer!r}")

    print(f"Send: {message!r}")
    writer.write(data)
    await writer.drain()

    print("Close the connection")
    writer.close()
    await writer.wait_closed()


async def main(host="127.0.0.1", port="8888"):
    server = await asyncio.start_server(handle_echo, host, int(port))

    addresses = ", ".join(str(sock.getsockname()) for sock in server.sockets)
    print(f"Serving on {addresses}", flush=True)

    async with server:
        await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
