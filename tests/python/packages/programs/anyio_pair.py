# anyio.run: a TCP listener, a client, a task group, a timeout, a function in a thread.
import sys

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream


async def handle(stream):
    async with stream:
        lines = BufferedByteReceiveStream(stream)
        while True:
            line = await lines.receive_until(b"\n", 1000)
            if line == b"bye":
                return
            await stream.send(line.upper() + b"\n")


async def run_server():
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    print(f"Serving on 127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}", flush=True)
    await listener.serve(handle)


async def ask():
    port = int(sys.argv[2])

    async def one(number):
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(b"line %d\n" % number)
            results[number] = await stream.receive()
            await stream.send(b"bye\n")

    results = {}
    async with anyio.create_task_group() as group:
        for number in range(5):
            group.start_soon(one, number)
    print(sorted(results.items()))
    with anyio.move_on_after(0.01) as scope:
        await anyio.sleep(10)
    print(scope.cancelled_caught)


anyio.run(run_server if sys.argv[1] == "serve" else ask)
