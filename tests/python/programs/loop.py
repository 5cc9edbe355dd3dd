"""The loop's methods beside the streams, one topic a run. asyncio's own loop prints the same lines.

    loop.py MATTER
"""

import asyncio
import concurrent.futures
import contextvars
import io
import os
import select
import socket
import sys

from shared import HOST, attempt, outcome


async def executor():
    """Functions in threads, or in place of threads."""
    variable = contextvars.ContextVar("variable", default="outside")
    variable.set("the task's")
    print(await asyncio.to_thread(lambda: 42), await asyncio.to_thread(variable.get))
    print(await asyncio.get_running_loop().run_in_executor(None, variable.get))
    print(await asyncio.to_thread(max, 1, 5, key=lambda n: -n))
    loop = asyncio.get_running_loop()
    print(await outcome(loop.run_in_executor(None, lambda: 1 / 0)))
    print(await loop.run_in_executor(None, attempt, asyncio.get_running_loop))
    future = loop.run_in_executor(None, sum, [1, 2])
    print(asyncio.isfuture(future), await future)
    said = []

    async def other():
        said.append("other")

    task = asyncio.create_task(other())
    for _ in range(3):
        await loop.run_in_executor(None, len, "abc")
    await task
    print(said, "while functions run one after the other")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        print(await loop.run_in_executor(pool, len, "abc"))
    print(await outcome(asyncio.sleep(0, attempt(loop.run_in_executor, pool, len, "abc"))))
    cancelled = loop.run_in_executor(None, len, "abc")
    cancelled.cancel()
    print(await outcome(cancelled))


class Inline(concurrent.futures.Executor):
    def submit(self, function, *args, **kwds):
        future = concurrent.futures.Future()
        future.set_result(("mine", function(*args, **kwds)))
        return future


async def own_executor():
    """The program's own executor is used."""
    loop = asyncio.get_running_loop()
    print(await loop.run_in_executor(Inline(), len, "abc"))
    await loop.shutdown_default_executor()
    print(attempt(loop.run_in_executor, None, len, "abc"))


def nonblocking():
    made = socket.socket()
    made.setblocking(False)
    return made


async def connected():
    """Returns a listening socket, a client of it, the other end of its connection, and the client's address."""
    loop = asyncio.get_running_loop()
    listening = socket.create_server((HOST, 0))
    listening.setblocking(False)
    client = nonblocking()
    accepting = asyncio.create_task(loop.sock_accept(listening))
    await loop.sock_connect(client, listening.getsockname())
    return listening, client, *await accepting


async def ready():
    """A listening socket that is watched for writing makes no socket ready, neither for select nor for the loop."""
    loop = asyncio.get_running_loop()
    listening, client, server, _ = await connected()
    # A host may report an accepted socket as readable until the first read finds nothing.
    try:
        print(server.recv(1))
    except BlockingIOError:
        print("nothing to read")
    # Another one waits to be accepted.
    waiting = nonblocking()
    await loop.sock_connect(waiting, listening.getsockname())
    names = {listening: "listening", client: "client", server: "server"}
    for readers, writers in (
        ([client], [listening]),
        ([client, server], [listening]),
        ([client, server], [listening, server]),
        ([listening, client], [listening]),
    ):
        ready = select.select(readers, writers, [], 0.1)[:2]
        print([[names[one] for one in several] for several in ready])
    called = []
    for one in (client, server):
        loop.add_reader(one, called.append, names[one])
    loop.add_writer(listening, called.append, "listening")
    await asyncio.sleep(0.1)
    print(called)
    server.send(b"!")
    while not called:
        await asyncio.sleep(0.001)
    print(set(called))
    for one in (client, server):
        loop.remove_reader(one)
    loop.remove_writer(listening)
    for one in (listening, client, server, waiting):
        one.close()


async def sockets():
    """The loop's calls for Python's own sockets."""
    loop = asyncio.get_running_loop()
    listening, client, server, address = await connected()
    print(address == client.getsockname(), server.getblocking())
    await loop.sock_sendall(client, b"hello")
    print(await loop.sock_recv(server, 3))
    buffer = bytearray(10)
    print(await loop.sock_recv_into(server, buffer), bytes(buffer[:2]))
    for _ in range(3):
        await loop.sock_sendall(client, b"from")
        print(*await loop.sock_recvfrom(server, 4))
    await loop.sock_sendall(client, b"from")
    print(*await loop.sock_recvfrom_into(server, buffer, 2), *await loop.sock_recvfrom_into(server, buffer))
    print(attempt(loop.add_reader, "text", print), attempt(loop.remove_writer, None))
    size = 1 << 20
    sending = asyncio.create_task(loop.sock_sendall(server, bytes(size)))
    received = 0
    while received < size:
        received += len(await loop.sock_recv(client, 1 << 16))
    await sending
    print(received)
    reading = asyncio.create_task(loop.sock_recv(client, 1))
    await asyncio.sleep(0.01)
    reading.cancel()
    print(await outcome(reading))
    print(await loop.sock_sendfile(client, io.BytesIO(b"a file"), fallback=True), await loop.sock_recv(server, 10))
    client.close()
    print(await loop.sock_recv(server, 10))
    refused = nonblocking()
    port = listening.getsockname()[1]
    listening.close()
    print(await outcome(loop.sock_connect(refused, (HOST, port))))
    for each in (server, refused):
        each.close()


class Collect(asyncio.Protocol):
    def __init__(self):
        self.data = b""
        self.ended = asyncio.get_running_loop().create_future()

    def data_received(self, data):
        self.data += data

    def connection_lost(self, reason):
        self.ended.set_result(reason)


async def accepted():
    """Connections over sockets that the program has accepted or connected itself."""
    loop = asyncio.get_running_loop()
    listening, client, server, _ = await connected()
    transport, protocol = await loop.connect_accepted_socket(Collect, server)
    writing, other = await loop.create_connection(Collect, sock=client)
    print(writing.get_extra_info("peername") == listening.getsockname())
    writing.write(b"over sockets")
    writing.write_eof()
    print(await protocol.ended, protocol.data)
    writing.close()
    print(await other.ended, transport.is_closing())
    listening.close()
    datagrams = socket.socket(type=socket.SOCK_DGRAM)
    print(await outcome(loop.connect_accepted_socket(Collect, datagrams)))
    datagrams.close()
    bound = socket.create_server((HOST, 0))
    server = await asyncio.start_server(lambda reader, writer: writer.close(), sock=bound)
    # A program may set options after the server has the socket.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    print(bound.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), bound.getsockname() == server.sockets[0].getsockname())
    server.close()
    # One without an address gets one, with any port.
    server = await asyncio.start_server(lambda reader, writer: writer.write(b"any"), sock=socket.socket())
    reader, writer = await asyncio.open_connection(HOST, server.sockets[0].getsockname()[1])
    print(await reader.read(3))
    writer.close()
    server.close()


class Answer(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(data.upper(), address)


class Ask(asyncio.DatagramProtocol):
    def __init__(self):
        self.answers = asyncio.Queue()

    def datagram_received(self, data, address):
        self.answers.put_nowait(data)

    def error_received(self, reason):
        self.answers.put_nowait(reason)


async def handed_out():
    """A connection is returned before its protocol receives input."""
    order = []

    class Telling(asyncio.Protocol):
        def connection_made(self, transport):
            order.append("made")

        def data_received(self, data):
            order.append("data")
            told.set_result(None)

    def greet(reader, writer):
        writer.write(b"hello")
        writer.close()

    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(greet, HOST, 0)
    for _ in range(20):
        told = loop.create_future()
        transport, _ = await loop.create_connection(Telling, *server.sockets[0].getsockname())
        order.append("handed out")
        await told
        transport.close()
    print(order == ["made", "handed out", "data"] * 20)
    server.close()


async def datagrams():
    """Endpoints for datagrams."""
    loop = asyncio.get_running_loop()
    answering, _ = await loop.create_datagram_endpoint(Answer, local_addr=(HOST, 0))
    address = answering.get_extra_info("sockname")
    asking, protocol = await loop.create_datagram_endpoint(Ask, remote_addr=address)
    for text in (b"one", b"two"):
        asking.sendto(text)
        print(await asyncio.wait_for(protocol.answers.get(), 10))
    print(asking.get_extra_info("peername") == address)
    asking.close()
    # It gets an address with the first datagram that it sends.
    asking, protocol = await loop.create_datagram_endpoint(Ask, family=socket.AF_INET)
    print(await outcome(asyncio.wait_for(protocol.answers.get(), 0.1)))
    asking.sendto(b"three", address)
    print(await asyncio.wait_for(protocol.answers.get(), 10))
    asking.close()
    answering.close()
    print(await outcome(loop.create_datagram_endpoint(Ask)))
    print(await outcome(loop.create_datagram_endpoint(Ask, local_addr="text")))


async def sendfile():
    """A file over a connection."""
    loop = asyncio.get_running_loop()
    received = loop.create_future()

    async def handler(reader, writer):
        received.set_result(await reader.read())
        writer.close()

    server = await asyncio.start_server(handler, HOST, 0)
    _, writer = await asyncio.open_connection(HOST, server.sockets[0].getsockname()[1])
    content = bytes(range(256)) * 1000
    file = io.BytesIO(content)
    writer.write(b"head")
    print(await loop.sendfile(writer.transport, file), file.tell())
    print(await loop.sendfile(writer.transport, file, 10, 20), file.tell())
    for offset, count in ((0, 0), (0, -5), (-1, None), (0, 1.5), (1.5, None)):
        print(offset, count, await outcome(loop.sendfile(writer.transport, file, offset, count)))
    print(await outcome(loop.sendfile(writer.transport, io.StringIO("text"), 0, 0)))
    writer.write_eof()
    print(await received == b"head" + content + content[10:30])
    writer.close()
    await writer.wait_closed()
    print(await outcome(loop.sendfile(writer.transport, file)))
    server.close()


async def methods():
    """Every public method of a loop works or reports the reason: no error is without a text."""
    loop = asyncio.get_running_loop()
    sock = nonblocking()
    listening = socket.create_server((HOST, 0))
    listening.setblocking(False)
    udp = socket.socket(type=socket.SOCK_DGRAM)
    udp.setblocking(False)
    file = io.BytesIO(b"file")
    inner, outer = socket.socketpair()
    for each in (inner, outer):
        each.setblocking(False)
    reader, writer = os.pipe() if hasattr(os, "pipe") else (0, 1)
    # Methods that only end the loop are left out.
    ending = {"run_forever", "run_until_complete", "close", "stop"}
    arguments = {
        "add_reader": (inner, int),
        "add_signal_handler": (2, print),
        "add_writer": (listening, int),
        "call_at": (loop.time() + 1000, print),
        "call_exception_handler": ({"message": "said"},),
        "call_later": (1000, print),
        "call_soon": (int,),
        "call_soon_threadsafe": (int,),
        "connect_accepted_socket": (asyncio.Protocol, outer),
        "connect_read_pipe": (asyncio.Protocol, open(reader, "rb", 0, closefd=False) if hasattr(os, "pipe") else file),
        "connect_write_pipe": (asyncio.BaseProtocol, open(writer, "wb", 0, closefd=False) if hasattr(os, "pipe") else file),
        "create_connection": (asyncio.Protocol, *listening.getsockname()),
        "create_datagram_endpoint": (asyncio.DatagramProtocol, (HOST, 0)),
        "create_server": (asyncio.Protocol, HOST, 0),
        "create_task": (asyncio.sleep(0),),
        "create_unix_connection": (asyncio.Protocol, "/nowhere/at/all"),
        "create_unix_server": (asyncio.Protocol, "/nowhere/at/all"),
        "default_exception_handler": ({"message": "said"},),
        "getaddrinfo": ("127.0.0.1", 80),
        "getnameinfo": (("127.0.0.1", 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV),
        "remove_reader": (inner,),
        "remove_signal_handler": (2,),
        "remove_writer": (listening,),
        "run_in_executor": (None, int),
        "sendfile": (None, file),
        "set_debug": (False,),
        "set_default_executor": (concurrent.futures.ThreadPoolExecutor(),),
        "set_exception_handler": (lambda loop, context: None,),
        "set_task_factory": (None,),
        "sock_accept": (listening,),
        "sock_connect": (sock, listening.getsockname()),
        "sock_recv": (sock, 1),
        "sock_recv_into": (sock, bytearray(1)),
        "sock_recvfrom": (udp, 1),
        "sock_recvfrom_into": (udp, bytearray(1)),
        "sock_sendall": (sock, b"x"),
        "sock_sendfile": (sock, file),
        "sock_sendto": (udp, b"x", (HOST, 9)),
        "start_tls": (None, asyncio.Protocol(), None),
        "subprocess_exec": (asyncio.SubprocessProtocol, "true"),
        "subprocess_shell": (asyncio.SubprocessProtocol, "true"),
    }
    silent, tried = [], 0
    loop.set_exception_handler(lambda loop, context: None)
    # In the order of names, but `sock` is connected before it is used, since the rest depends on it.
    names = sorted({name for name in dir(asyncio.AbstractEventLoop) if not name.startswith("_")} - ending)
    for name in sorted(names, key=lambda name: (name != "sock_connect", name.startswith("shutdown"), name)):
        tried += 1
        try:
            result = getattr(loop, name)(*arguments.get(name, ()))
            if asyncio.iscoroutine(result) or asyncio.isfuture(result):
                await asyncio.wait_for(result, 0.05)
        except TimeoutError:
            pass
        except BaseException as error:
            if not str(error):
                silent.append((name, type(error).__name__))
            if "-v" in sys.argv:
                print(name, type(error).__name__, error)
    loop.remove_reader(inner)
    print("methods", tried > 40, "without a text:", silent)


async def unix():
    """Functions for Unix sockets exist; no socket listens there."""
    print(await outcome(asyncio.open_unix_connection("/nowhere/at/all")) in ("FileNotFoundError", "NotImplementedError"))
    print(await outcome(asyncio.start_unix_server(print, "/nowhere/at/all")) in ("FileNotFoundError", "NotImplementedError"))
    names = "open_unix_connection start_unix_server create_subprocess_exec create_subprocess_shell".split()
    print([name for name in names if not hasattr(asyncio, name)])
    print([name for name in names[:2] if not hasattr(asyncio.streams, name)])


async def unix_family():
    """Python's own sockets of the family AF_UNIX, without a host that grants paths."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        print(sock.family == socket.AF_UNIX != socket.AF_INET, sock.family.name, sock.type == socket.SOCK_STREAM, sock.proto)
        print(isinstance(sock, socket.socket), repr(sock.getsockname()), sock.gettimeout(), sock.getblocking())
        sock.settimeout(1.5)
        print(sock.gettimeout(), sock.getblocking())
        sock.setblocking(False)
        print(sock.gettimeout(), sock.getblocking())
        for call in (sock.getpeername, lambda: sock.bind("/nowhere/at/all"), lambda: sock.bind(5)):
            try:
                print(call())
            except (OSError, TypeError) as reason:
                print(isinstance(reason, OSError), str(reason) != "")
    print(sock.fileno())
    print(attempt(lambda: sock.bind("/nowhere/at/all")))
    with socket.socket() as tcp:
        print(tcp.family == socket.AF_INET)
        for keywords in ({}, {"sock": tcp}, {"sock": sock, "path": "/nowhere"}, {"path": "/nowhere", "server_hostname": "x"}):
            print(await outcome(loop.create_unix_connection(asyncio.Protocol, **keywords)))
        for keywords in ({}, {"sock": tcp}, {"sock": sock, "path": "/nowhere"}):
            print(await outcome(loop.create_unix_server(asyncio.Protocol, **keywords)))


async def arguments():
    """Arguments in all forms that asyncio accepts."""
    server = await asyncio.start_server(lambda reader, writer: writer.close(), HOST, 0)
    port = server.sockets[0].getsockname()[1]

    async def connect(*args, **kwds):
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(*args, **kwds), 10)
        except UnicodeError:
            # In Python 3.11 the subclass differs.
            return "UnicodeError"
        except Exception as error:
            return type(error).__name__
        writer.close()
        return "connected"

    for local in ((HOST, 0), (None, 0), ("", 0), ("localhost", 0), (b"127.0.0.1", 0), [HOST, 0], (HOST, "0"), (HOST, None)):
        print("local", local, await connect(HOST, port, local_addr=local))
    for local in ((HOST,), "127.0.0.1", "host", "h", b"host", (), (HOST, 0, 0, 0), (HOST, -1), (HOST, 65536), 5, (5, 0), ("192.0.2.1", 0)):
        print("local", local, await connect(HOST, port, local_addr=local))
    try:
        await asyncio.open_connection(HOST, port, local_addr=("192.0.2.1", 0))
    except OSError as reason:
        print(str(reason).partition("] ")[2].partition(": ")[0])
    for host in (HOST.encode(), "localhost", "", b"", None, 5, ["127.0.0.1"], "a" * 64, "x..y", "\0", "name.invalid"):
        print("host", repr(host), await connect(host, port))
    for other in (-1, 65536, "no port", b"", "", None, "-1", str(port), str(port).encode()):
        shown = "PORT" if str(port) in str(other) else repr(other)
        print("port", type(other).__name__, shown, await connect(HOST, other))

    async def serve(*args, **kwds):
        try:
            made = await asyncio.start_server(print, *args, **kwds)
        except Exception as error:
            return type(error).__name__
        made.close()
        return f"served {len(made.sockets or ())}"

    for host in (HOST.encode(), "localhost", [HOST], (HOST, HOST.encode()), 5, "192.0.2.1"):
        print("serve", repr(host), await serve(host, 0))
    for other in (-1, 65536, "0", b"0", "no port"):
        print("serve", repr(other), await serve(HOST, other))
    for backlog in (-1, 0, 1 << 40, "x", 1.5):
        print("backlog", backlog, await serve(HOST, 0, backlog=backlog))
    for family in (socket.AF_INET, 99):
        print("family", family == 99, await serve(HOST, 0, family=family), await connect(HOST, port, family=family))
    for delay in (0, 1e-9, 1e30, float("inf")):
        print("delay", delay, await connect(HOST, port, happy_eyeballs_delay=delay))
    for interleave in (0, 1, 1 << 40):
        print("interleave", interleave, await connect(HOST, port, happy_eyeballs_delay=0.1, interleave=interleave))
    _, writer = await asyncio.open_connection(HOST, port)
    for high, low in ((64e3, None), (1.5, 0.5), (1 << 40, 1 << 33), (float("inf"), 0), (1, 2), (-1, None), (None, None)):
        print("limits", high, low, attempt(writer.transport.set_write_buffer_limits, high, low))
    print(writer.transport.get_write_buffer_limits())
    writer.close()
    server.close()


async def main():
    matters = [executor, own_executor, ready, sockets, accepted, handed_out, datagrams, sendfile, methods, unix, unix_family, arguments]
    await {matter.__name__.replace("_", "-"): matter for matter in matters}[sys.argv[1]]()


if len(sys.argv) > 1 and sys.argv[1] == "top-level":
    # At the top level no loop is running, neither before nor after.
    print(attempt(asyncio.get_running_loop), attempt(asyncio.current_task))
    loop = asyncio.new_event_loop()
    print(loop.is_running(), loop.run_until_complete(asyncio.sleep(0, "slept")), attempt(asyncio.get_running_loop))
    loop.close()
    with asyncio.Runner() as runner:
        print(runner.run(asyncio.sleep(0, "ran")), attempt(asyncio.get_running_loop))
else:
    asyncio.run(main())
