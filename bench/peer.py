"""The benchmark's peers in Python: asyncio streams, on asyncio's own event loop or on uvloop's; or, as a component, ours.

    peer.py asyncio|uvloop client KIND ADDRESS SIZE CONNECTIONS WARM-UP MEASURED
    peer.py asyncio|uvloop server echo|greet|requests ADDRESS

A certificate and its key in BENCH_TLS, as PEM, make the connections TLS.
"""

import asyncio
import os
import sys
import tempfile
import time

CHUNK = 64 << 10  # the size of a read without a known message size
BULK = 256 << 10  # the size of a read of bulk data
TLS = os.environ.get("BENCH_TLS")
BLOCK = 1000  # lines between two readings of the clock


class Meter:
    """Counts the work after the warm-up, and returns when the time is up."""

    def __init__(self, warmup, measured, stride):
        self.warmup, self.length, self.stride = warmup, measured, stride
        self.left = stride
        self.count = 0
        self.measuring = False
        self.done = None
        self.since = time.perf_counter()

    def go_on(self, amount):
        self.count += amount
        self.left -= 1
        if self.left == 0:
            self.left = self.stride
            self.look()
        return self.done is None

    def look(self):
        now = time.perf_counter()
        elapsed = now - self.since
        if self.done is not None:
            return
        if not self.measuring and elapsed >= self.warmup:
            self.measuring, self.count, self.since = True, 0, now
        elif self.measuring and elapsed >= self.length:
            self.done = f"{self.count} in {int(elapsed * 1e9)} ns"


def stride(kind, size):
    if kind in ("readline", "async-for"):
        return 1
    if kind in ("lines", "until"):
        return 1000
    if kind in ("bulk-in", "bulk-out", "echo") and size <= 16 << 10:
        return 16
    return 4


async def lines(reader, writer, size, meter):
    while meter.go_on(1):
        assert await reader.readline()


async def readline(reader, writer, size, meter):
    """The call alone: the clock is read between blocks of calls."""
    while True:
        for _ in range(BLOCK):
            await reader.readline()
        if not meter.go_on(BLOCK):
            break


async def async_for(reader, writer, size, meter):
    left = BLOCK
    async for _ in reader:
        left -= 1
        if not left:
            if not meter.go_on(BLOCK):
                break
            left = BLOCK


async def until(reader, writer, size, meter):
    while meter.go_on(1):
        await reader.readuntil(b"\r\n")


async def bulk_in(reader, writer, size, meter):
    while True:
        data = await reader.read(BULK)
        assert data
        if not meter.go_on(len(data)):
            break


async def bulk_out(reader, writer, size, meter):
    data = b"x" * size
    while meter.go_on(size):
        writer.write(data)
        await writer.drain()


async def echo(reader, writer, size, meter):
    data = b"x" * size
    while meter.go_on(1):
        writer.write(data)
        await writer.drain()
        await reader.readexactly(size)


async def write_write_read(reader, writer, size, meter):
    half = b"x" * (size // 2)
    while meter.go_on(1):
        writer.write(half)
        writer.write(half)
        await reader.readexactly(size)


async def write_drain(reader, writer, size, meter):
    half = b"x" * (size // 2)
    while meter.go_on(1):
        writer.write(half)
        await writer.drain()
        writer.write(half)
        await writer.drain()
        await reader.readexactly(size)


KINDS = {
    "lines": lines,
    "until": until,
    "readline": readline,
    "async-for": async_for,
    "bulk-in": bulk_in,
    "bulk-out": bulk_out,
    "echo": echo,
    "write-read": echo,
    "write-write-read": write_write_read,
    "write-drain": write_drain,
}


def protection(purpose):
    """The context for TLS; None without it."""
    if not TLS:
        return None
    import ssl  # here, because it takes time that runs without TLS should not spend

    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(TLS)
        file.flush()
        if purpose == "client":
            return ssl.create_default_context(cafile=file.name)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file.name)
        context.num_tickets = 0  # no session is resumed
        return context


async def connections(host, port, meter, context):
    while meter.go_on(1):
        reader, writer = await asyncio.open_connection(host, port, ssl=context)
        await reader.readexactly(1)
        writer.close()
        await writer.wait_closed()


async def start(host, port):
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"!")
    await reader.read()


async def client(kind, address, size, count, warmup, measured):
    host, port = address.rsplit(":", 1)
    size = int(size)
    if kind == "start":
        return await start(host, port)
    context = protection("client")
    meter = Meter(int(warmup) / 1000, int(measured) / 1000, stride(kind, size))

    async def connection():
        if kind == "connect":
            return await connections(host, port, meter, context)
        reader, writer = await asyncio.open_connection(host, port, ssl=context)
        await KINDS[kind](reader, writer, size, meter)
        writer.transport.abort()

    await asyncio.gather(*(connection() for _ in range(int(count))))
    print(meter.done)


async def echo_back(reader, writer):
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass  # the failure of one client does not end the server
    finally:
        writer.close()


async def greet(reader, writer):
    writer.write(b"!")
    writer.close()


async def requests(host, port):
    """An application by Starlette that uvicorn serves, with the parser in Python on both sides."""
    # Only here, because other environments do not have these packages.
    import uvicorn
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def page(request):
        return JSONResponse({"query": request.query_params.get("q")})

    class Server(uvicorn.Server):
        async def startup(self, sockets=None):
            await super().startup(sockets)
            host, port = self.servers[0].sockets[0].getsockname()
            print(f"listening on {host}:{port}", flush=True)

    app = Starlette(routes=[Route("/json", page)])
    config = uvicorn.Config(app, host, int(port), http="h11", ws="none", access_log=False, log_level="error")
    await Server(config).serve()


async def server(kind, address):
    host, port = address.rsplit(":", 1)
    if kind == "requests":
        return await requests(host, port)
    handler = {"echo": echo_back, "greet": greet}[kind]
    context = protection("server")
    listener = await asyncio.start_server(handler, host, port, backlog=1000, ssl=context)
    host, port = listener.sockets[0].getsockname()
    print(f"listening on {host}:{port}", flush=True)
    await listener.serve_forever()


def main():
    loop, role, *order = sys.argv[1:]
    work = {"client": client, "server": server}[role](*order)
    if loop == "uvloop":
        import uvloop

        uvloop.run(work)
    else:
        asyncio.run(work)


main()
