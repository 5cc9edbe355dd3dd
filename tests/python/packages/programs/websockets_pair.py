# websockets: `serve` and `connect`, text, binary, a large message, a close with a reason.
import asyncio
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosedOK


async def echo(websocket):
    async for message in websocket:
        if message == "bye":
            await websocket.close(1000, "as asked")
        else:
            await websocket.send(message)


async def run_server():
    async with serve(echo, "127.0.0.1", 0) as server:
        print(f"Serving on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


async def ask(port):
    async with connect(f"ws://127.0.0.1:{port}") as websocket:
        for message in ("hällo", b"\x00\xff", "x" * 500_000):
            await websocket.send(message)
            got = await websocket.recv()
            print(type(got).__name__, len(got), got == message)
        await websocket.send("bye")
        try:
            await websocket.recv()
        except ConnectionClosedOK as reason:
            print(reason.rcvd.code, reason.rcvd.reason)


asyncio.run(run_server() if sys.argv[1] == "serve" else ask(sys.argv[2]))
