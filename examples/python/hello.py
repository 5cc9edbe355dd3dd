"""The shortest client of the echo server: hello.py HOST PORT"""

import asyncio
import sys


async def main(host, port):
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"Hello World!")
    print(f"Received: {(await reader.read(100)).decode()!r}")
    writer.close()
    await writer.wait_closed()


asyncio.run(main(*sys.argv[1:]))
