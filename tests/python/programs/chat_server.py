"""A chat: a client sends its name, then every line goes to all others.

    chat_server.py HOST PORT

A client that does not read is disconnected, without delaying others. The line ``/stop`` ends the server.
"""

import asyncio
import sys

PATIENCE = 5


class Room:
    def __init__(self):
        self.writers = {}
        self.stopped = asyncio.Event()
        self.left = asyncio.Event()

    async def client(self, reader, writer):
        try:
            await self.talk(reader, writer)
        except (ConnectionError, ValueError) as error:
            # A line longer than the reader's limit is a ValueError.
            print(f"lost: {type(error).__name__}", flush=True)
        finally:
            writer.close()

    async def talk(self, reader, writer):
        writer.write(b"name? ")
        await writer.drain()
        name = (await reader.readline()).decode().strip()
        if not name or name in self.writers:
            writer.write(b"not free\n")
            await writer.drain()
            return
        await self.tell_all(f"* {name} comes")
        self.writers[name] = writer
        writer.write(f"* here are: {', '.join(sorted(self.writers))}\n".encode())
        print(f"{name} comes", flush=True)
        try:
            async for line in reader:
                text = line.decode().rstrip("\r\n")
                if text == "/stop":
                    self.stopped.set()
                else:
                    print(f"{name}: {text}", flush=True)
                    await self.tell_all(f"{name}: {text}", but=name)
        finally:
            del self.writers[name]
            print(f"{name} goes", flush=True)
            self.left.set()
            await self.tell_all(f"* {name} goes")

    async def tell_all(self, text, but=None):
        await asyncio.gather(*(self.tell(name, text) for name in list(self.writers) if name != but))

    async def tell(self, name, text):
        writer = self.writers[name]
        writer.write(text.encode() + b"\n")
        try:
            await asyncio.wait_for(writer.drain(), PATIENCE)
        except (ConnectionError, TimeoutError):
            writer.transport.abort()


async def main(host, port):
    room = Room()
    server = await asyncio.start_server(room.client, host, int(port), limit=1024)
    print(f"Serving on {server.sockets[0].getsockname()}", flush=True)
    async with server:
        await room.stopped.wait()
        server.close()
        for writer in list(room.writers.values()):
            writer.write(b"* the end\n")
            writer.close()
        await server.wait_closed()
        # Whether they or this task run first depends on the loop.
        while room.writers:
            room.left.clear()
            await room.left.wait()
    print("stopped")


asyncio.run(main(*sys.argv[1:]))
