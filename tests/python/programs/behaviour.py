"""Behaviour that programs rely on beside the bytes, one topic a run. asyncio's own streams print the same lines.

    behaviour.py MATTER
"""

import asyncio
import contextlib
import errno
import gc
import socket
import sys
import time

from shared import HOST, attempt, outcome


class Pair:
    """A connection whose two ends are in the program."""

    async def __aenter__(self):
        accepted = asyncio.get_running_loop().create_future()
        self.server = await asyncio.start_server(lambda *ends: accepted.set_result(ends), HOST, 0)
        self.port = self.server.sockets[0].getsockname()[1]
        self.reader, self.writer = await asyncio.open_connection(HOST, self.port)
        self.peer_reader, self.peer_writer = await accepted
        return self

    async def __aexit__(self, *error):
        for writer in (self.writer, self.peer_writer):
            writer.transport.abort()
        self.server.close()


async def clock():
    """Sleeping, deadlines and timers."""
    loop = asyncio.get_running_loop()
    before, said = loop.time(), []
    loop.call_later(0.03, said.append, "third")
    loop.call_later(0.01, said.append, "first")
    loop.call_at(before + 0.02, said.append, "second")
    loop.call_later(0.02, said.append, "never").cancel()
    await asyncio.sleep(0.08)
    print(said, loop.time() - before >= 0.08, abs(time.monotonic() - loop.time()) < 3600 or "another clock")
    print(await outcome(asyncio.wait_for(asyncio.sleep(30), 0.01)))
    print(await outcome(asyncio.wait_for(asyncio.sleep(0.01, "done"), 30)))
    try:
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()
    except TimeoutError:
        print("timeout")
    done, pending = await asyncio.wait([asyncio.ensure_future(asyncio.sleep(30))], timeout=0.01)
    print(len(done), len(pending))
    for task in pending:
        task.cancel()
    results = await asyncio.gather(*(asyncio.sleep(0.01 * (5 - n), n) for n in range(5)))
    print(results)


async def cancelled_reads():
    """A cancelled read has consumed nothing."""
    async with Pair() as pair:
        for name, arguments in [("readline", ()), ("readexactly", (6,)), ("readuntil", (b"\n",)), ("read", (9,))]:
            task = asyncio.create_task(getattr(pair.reader, name)(*arguments))
            await asyncio.sleep(0)
            if name != "read":
                pair.peer_writer.write(b"he")
                await asyncio.sleep(0.02)
            task.cancel()
            print(name, await outcome(task))
            pair.peer_writer.write(b"llo\n")
            print(await pair.reader.readline())
            print(await outcome(asyncio.wait_for(pair.reader.readline(), 0.02)))
        pair.peer_writer.write(b"late\n")
        print(await pair.reader.readline())


async def cancelled_drains():
    """Of ten drains one is cancelled, nine continue."""
    async with Pair() as pair:
        pair.writer.transport.set_write_buffer_limits(high=1000)
        pair.writer.write(bytes(20 << 20))
        drains = [asyncio.create_task(pair.writer.drain()) for _ in range(10)]
        await asyncio.sleep(0.05)
        print("waiting", sum(not drain.done() for drain in drains))
        drains[3].cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        print("waiting", sum(not drain.done() for drain in drains))
        print(len(await pair.peer_reader.readexactly(20 << 20)))
        print([type(result).__name__ for result in await asyncio.gather(*drains, return_exceptions=True)])


async def cancelled_servers():
    """Cancelling the serving task ends the server, and its address is free again."""
    served = asyncio.Event()

    async def handler(reader, writer):
        served.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(handler, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    forever = asyncio.create_task(server.serve_forever())
    _, writer = await asyncio.open_connection(HOST, port)
    await served.wait()
    forever.cancel()
    await asyncio.sleep(0.01)
    print(server.is_serving(), server.sockets)
    writer.close()
    print(await outcome(forever))
    await server.wait_closed()
    print(await outcome(asyncio.open_connection(HOST, port)))
    again = await asyncio.start_server(handler, HOST, port)
    print("again", again.sockets[0].getsockname()[1] == port)
    # It has accepted before; its address is free at once.
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write_eof()
    await reader.read()
    writer.close()
    again.close()
    print(await outcome(asyncio.open_connection(HOST, port)))
    await again.wait_closed()


async def answer(reader, writer):
    """Sends a line back, to a client that may have left."""
    try:
        writer.write(await reader.readline())
    except ConnectionError:
        pass
    writer.close()


async def cancelled_connects():
    """A cancelled connect leaves nothing behind, and the server continues."""
    server = await asyncio.start_server(answer, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    for turns in range(40):
        task = asyncio.create_task(asyncio.open_connection(HOST, port))
        for _ in range(turns % 5):
            await asyncio.sleep(0)
        task.cancel()
        result = await outcome(task)
        if not isinstance(result, str):
            result[1].close()
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(b"still there\n")
    print(await reader.readline())
    writer.close()
    server.close()


async def crowds():
    """Hundreds of connections open, and close or abort, at once."""
    server = await asyncio.start_server(answer, HOST, 0, backlog=200)
    port = server.sockets[0].getsockname()[1]

    async def visit(turn):
        reader, writer = await asyncio.open_connection(HOST, port)
        line = None
        if turn % 3 == 0:
            writer.write(b"hello\n")
            line = await reader.readline()
        elif turn % 3 == 1:
            writer.transport.abort()
        writer.close()
        return line

    for _ in range(4):
        lines = await asyncio.gather(*(visit(turn) for turn in range(150)))
        print(lines.count(b"hello\n"), lines.count(None))
    server.close()


async def failures():
    """Errors have asyncio's types, and an errno where the system has one."""
    free = socket.create_server((HOST, 0))
    port = free.getsockname()[1]
    free.close()
    try:
        await asyncio.open_connection(HOST, port)
    except ConnectionRefusedError as error:
        print("refused", errno.errorcode[error.errno])
    taken = await asyncio.start_server(lambda *ends: None, HOST, 0)
    try:
        await asyncio.start_server(lambda *ends: None, HOST, taken.sockets[0].getsockname()[1])
    except OSError as error:
        print("taken", errno.errorcode[error.errno])
        # As unittest and contextlib do with an exception and those that it replaced.
        for each in (error, error.__context__):
            if each is not None:
                each.__traceback__ = None
    taken.close()
    try:
        await asyncio.open_connection("name.invalid", 80)
    except socket.gaierror as error:
        print("name", isinstance(error, OSError))
    try:
        await asyncio.start_server(lambda *ends: None, "192.0.2.1", 0)
    except OSError as error:
        print("not ours", type(error).__name__)


async def resets():
    """A reset is an error for reads and writes, and ends the connection."""
    async with Pair() as pair:
        waiting = asyncio.create_task(pair.reader.readline())
        await asyncio.sleep(0)
        # Unread input makes the close a reset.
        pair.writer.write(b"x" * 100_000)
        await asyncio.sleep(0.05)
        pair.peer_writer.transport.abort()
        print(await outcome(waiting) in ("ConnectionResetError", b""))

        async def write_on():
            while True:
                pair.writer.write(b"y" * 1000)
                await pair.writer.drain()

        print(await outcome(asyncio.wait_for(write_on(), 20)) in ("ConnectionResetError", "BrokenPipeError"))


async def ends():
    """Incomplete reads, lines over the limit, the end."""
    async with Pair() as pair:
        pair.peer_writer.write(b"abc")
        pair.peer_writer.write_eof()
        try:
            await pair.reader.readexactly(10)
        except asyncio.IncompleteReadError as error:
            print(error.partial, error.expected, error)
        print(await pair.reader.read(), pair.reader.at_eof(), await pair.reader.readline())
        pair.writer.write(b"the other way still works\n")
        print(await pair.peer_reader.readline())
    server = await asyncio.start_server(lambda reader, writer: writer.write(b"x" * 300 + b"\nshort\n"), HOST, 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection(HOST, port, limit=100)
    try:
        await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError as error:
        print(error, error.consumed)
        print(len(await reader.readexactly(error.consumed)))
    print(await reader.readline(), await reader.readline())
    writer.close()
    server.close()


async def garbage():
    """Collecting garbage at any moment is harmless, whatever is pending."""

    gc.freeze()  # what was there before the test need not be looked at again and again

    async def collect():
        while True:
            gc.collect()
            await asyncio.sleep(0)

    collector = asyncio.create_task(collect())
    async with Pair() as pair:
        task = asyncio.create_task(pair.reader.readline())
        await asyncio.sleep(0.01)
        pair.peer_writer.write(b"one\n")
        print(await task)

    async def lose(port):
        # Only the pending read keeps the reader alive.
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"x\n")
        return await reader.readline()

    async def echo(reader, writer):
        writer.write(await reader.readline())
        writer.close()

    server = await asyncio.start_server(echo, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    print(set(await asyncio.gather(*(lose(port) for _ in range(20)))))
    for _ in range(20):
        task = asyncio.create_task(lose(port))
        await asyncio.sleep(0)
        task.cancel()
        del task
        gc.collect()
    # Finalizers close what is garbage with them.
    for _ in range(5):
        Closing(*await asyncio.open_connection(HOST, port))
        unused = await asyncio.start_server(echo, HOST, 0, start_serving=False)
        Closing(unused)
        del unused
        gc.collect()
    await asyncio.sleep(0.05)
    print(Closing.count)
    server.close()
    collector.cancel()
    print("done")


class Closing:
    """A client or a server in a cycle, which closes its last part when it is collected."""

    count = 0

    def __init__(self, *parts):
        self.parts, self.itself = parts, self

    def __del__(self):
        Closing.count += 1
        # asyncio's own server may have lost its socket already.
        with contextlib.suppress(ValueError):
            self.parts[-1].close()


async def reported():
    """Exceptions that are never retrieved are reported, and the program continues."""
    reports = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reports.append(context["message"]))

    async def fails():
        raise ZeroDivisionError

    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0.01)
    print(reports[0], len(reports))

    async def handler(reader, writer):
        raise ZeroDivisionError

    server = await asyncio.start_server(handler, HOST, 0)
    _, writer = await asyncio.open_connection(HOST, server.sockets[0].getsockname()[1])
    await asyncio.sleep(0.05)
    print(reports[2])
    writer.close()
    server.close()
    asyncio.get_running_loop().set_exception_handler(None)
    # And by the loop's own handler, which writes.
    asyncio.get_running_loop().call_exception_handler({"message": "said to nobody", "exception": ValueError()})
    print("still here")


async def pending():
    """Leaving with pending calls is clean."""
    pair = await Pair().__aenter__()
    kept = [
        asyncio.create_task(pair.reader.readline()),
        asyncio.create_task(pair.peer_reader.read()),
        asyncio.create_task(asyncio.sleep(1000)),
    ]
    pair.writer.write(bytes(20 << 20))
    kept.append(asyncio.create_task(pair.writer.drain()))
    asyncio.get_running_loop().call_later(1000, print, "never")
    await asyncio.sleep(0.02)
    print(len(kept))


async def bad_input():
    """Mistakes are exceptions, and the connection continues where it can."""
    async with Pair() as pair:
        writer, reader = pair.writer, pair.reader
        for mistake in ("text", None, 5, ["a"]):
            print("write", repr(mistake), attempt(writer.write, mistake))
        print("writelines", attempt(writer.writelines, ["text"]), attempt(writer.writelines, 5))
        for data in (b"a", bytearray(b"b"), memoryview(b"c"), memoryview(bytes(8)).cast("I")):
            writer.write(data)
        print(await pair.peer_reader.readexactly(11))
        print("readexactly(-1)", await outcome(reader.readexactly(-1)))
        print("readexactly('1')", await outcome(reader.readexactly("1")))
        print("read('1')", await outcome(reader.read("1")))
        print("readuntil(b'')", await outcome(reader.readuntil(b"")))
        first = asyncio.create_task(reader.read(1))
        await asyncio.sleep(0.01)
        print("two readers", await outcome(reader.readline()))
        pair.peer_writer.write(b"!rest\n")
        print(await first, await reader.readline())
        for limit in (0, -1):
            print("limit", limit, await outcome(asyncio.open_connection(HOST, pair.port, limit=limit)))
        print("port", await outcome(asyncio.open_connection(HOST, "no port")) in ("gaierror", "ValueError", "OverflowError"))
        print("no host", await outcome(asyncio.open_connection()))
        writer.close()
        print("closing", writer.is_closing())
        await writer.wait_closed()
        writer.write(b"after the end")
        print("drain after close", await outcome(writer.drain()))
        print("eof after close", attempt(writer.write_eof) in (None, "OSError", "RuntimeError", "ConnectionResetError"))
        writer.close()
        await writer.wait_closed()
        print("read after close", await outcome(asyncio.wait_for(reader.read(), 5)))
        print("info", writer.get_extra_info("nothing", 7), writer.get_extra_info("peername")[0])
    server = await asyncio.start_server(lambda *ends: None, HOST, 0)
    server.close()
    print("closed server", await outcome(server.serve_forever()))
    server.close()
    print("not callable", await outcome(asyncio.start_server(5, HOST, 0)) != "SystemExit")


async def nested():
    """A loop within the loop is refused, with a reason."""

    async def inner():
        return 1

    coroutine = inner()
    try:
        asyncio.run(coroutine)
    except RuntimeError as error:
        print("RuntimeError", "asyncio.run()" in str(error))
    coroutine.close()


class Impatient(asyncio.Protocol):
    """Gives up as soon as its peer does not read."""

    def __init__(self, give_up):
        self.give_up = give_up
        self.events = []
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport

    def pause_writing(self):
        self.events.append("pause")
        getattr(self.transport, self.give_up)()

    def resume_writing(self):
        self.events.append("resume")

    def connection_lost(self, reason):
        self.lost.set_result(reason)


class Buffers(asyncio.BufferedProtocol):
    """Receives seven bytes at a time, and does something between two of its calls."""

    def __init__(self, action, when):
        self.action, self.when = action, when
        self.buffer = bytearray(7)
        self.received = b""
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport

    def get_buffer(self, size):
        if self.when == "get" and self.received:
            self.act()
        return self.buffer

    def buffer_updated(self, size):
        self.received += self.buffer[:size]
        if self.when == "updated":
            self.act()

    def act(self):
        if self.action == "swap":
            self.next = Buffers("nothing", "get")
            self.next.connection_made(self.transport)
            self.transport.set_protocol(self.next)
        elif self.action == "pause":
            self.transport.pause_reading()
        elif self.action == "error":
            raise ValueError("an error of the program")
        elif self.action != "nothing":
            getattr(self.transport, self.action)()

    def eof_received(self):
        if not self.lost.done():
            self.lost.set_result(None)

    def connection_lost(self, reason):
        if not self.lost.done():
            self.lost.set_result(reason)


async def protocols():
    """Protocols that close, pause or replace themselves in a callback."""
    loop = asyncio.get_running_loop()
    reports = []
    loop.set_exception_handler(lambda loop, context: reports.append((context["message"], repr(context.get("exception")))))

    async def deaf(reader, writer):
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(deaf, HOST, 0, limit=1 << 10)
    for give_up in ("abort", "close"):
        transport, protocol = await loop.create_connection(lambda: Impatient(give_up), *server.sockets[0].getsockname())
        transport.pause_reading()
        transport.write(bytes(20_000_000))
        if give_up == "close":
            transport.abort()
        print(give_up, protocol.events, await protocol.lost)
    await asyncio.sleep(0.05)
    server.close()

    async def talk(reader, writer):
        writer.write(b"0123456789" * 3)
        writer.close()

    server = await asyncio.start_server(talk, HOST, 0)
    for action in ("nothing", "swap", "close", "abort", "error"):
        _, protocol = await loop.create_connection(
            lambda: Buffers(action, "updated"), *server.sockets[0].getsockname()
        )
        last = protocol
        if action == "swap":
            while not hasattr(protocol, "next"):
                await asyncio.sleep(0.001)
            last = protocol.next
        await last.lost
        print(action, protocol.received, last.received, reports)
        reports.clear()
        last.transport.abort()
    for action in ("pause", "error"):
        _, protocol = await loop.create_connection(lambda: Buffers(action, "get"), *server.sockets[0].getsockname())
        if action == "pause":
            while len(protocol.received) < 14:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.05)
            print(action, protocol.received, protocol.transport.is_reading())
            protocol.action = "nothing"
            protocol.transport.resume_reading()
        await protocol.lost
        print(action, protocol.received, reports)
        reports.clear()
        protocol.transport.abort()
    server.close()


class Unread(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.lost = transport, asyncio.get_running_loop().create_future()
        transport.pause_reading()

    def connection_lost(self, reason):
        self.lost.set_result(reason)

    async def sent(self, data):
        self.transport.write(data)
        while self.transport.get_write_buffer_size():
            await asyncio.sleep(0.001)


async def paused():
    """A connection that is not read hears of its loss when it writes, as the system's `send` would."""
    loop = asyncio.get_running_loop()
    for unread in (b"some", b""):
        protocol = Unread()
        server = await loop.create_server(lambda: protocol, HOST, 0)
        client = socket.socket()
        client.setblocking(False)
        await loop.sock_connect(client, server.sockets[0].getsockname())
        while not hasattr(protocol, "lost"):
            await asyncio.sleep(0.001)
        await protocol.sent(b"first" + unread)
        print(await loop.sock_recv(client, 5))
        # With unread bytes, the system answers by a reset; without, to the next write.
        client.close()
        await asyncio.sleep(0.05)
        print(protocol.lost.done())
        if not unread:
            await protocol.sent(b"answered by a reset")
        protocol.transport.write(b"fails")
        print(isinstance(await asyncio.wait_for(protocol.lost, 20), ConnectionError))
        server.close()


async def main():
    matters = [clock, cancelled_reads, cancelled_drains, cancelled_servers, cancelled_connects, crowds]
    matters += [failures, resets, ends, garbage, reported, pending, bad_input, nested, protocols, paused]
    await {matter.__name__.replace("_", "-"): matter for matter in matters}[sys.argv[1]]()


asyncio.run(main())
