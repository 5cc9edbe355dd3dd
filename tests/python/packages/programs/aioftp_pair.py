# aioftp: a server with files in memory, and a client that makes folders, stores, lists and loads.
import asyncio
import sys

import aioftp


async def run_server():
    server = aioftp.Server([aioftp.User("ann", "secret")], path_io_factory=aioftp.MemoryPathIO)
    await server.start("127.0.0.1", 0)
    print(f"Serving on 127.0.0.1:{server.server_port}", flush=True)
    await asyncio.Event().wait()


async def ask(port):
    async with aioftp.Client.context("127.0.0.1", int(port), "ann", "secret") as client:
        await client.make_directory("folder")
        async with client.upload_stream("folder/file") as stream:
            await stream.write(b"content" * 10_000)
        print(sorted(str(path) for path, _ in await client.list(recursive=True)))
        size = 0
        async with client.download_stream("folder/file") as stream:
            async for block in stream.iter_by_block():
                size += len(block)
        print(size)
        await client.remove("folder")
        print(await client.list())


asyncio.run(run_server() if sys.argv[1] == "serve" else ask(sys.argv[2]))
