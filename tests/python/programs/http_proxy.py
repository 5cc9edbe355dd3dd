"""A proxy for HTTP/1.1: forwards requests and keeps clients' connections open; tunnels by CONNECT.

    http_proxy.py HOST PORT
"""

import asyncio
import sys
import urllib.parse

CONNECTING = 10
PIECE = 64 * 1024
OF_ONE_CONNECTION = {"connection", "proxy-connection", "keep-alive", "te", "trailer", "upgrade"}


class Bad(Exception):
    """The client's request cannot be understood."""


async def read_head(reader):
    """Reads the first line, and the headers as pairs; nothing at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise Bad("the connection ended within the head")
        return None
    except asyncio.LimitOverrunError:
        raise Bad("the head is too long")
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise Bad("a header has no colon")
        headers.append((name.strip().lower(), value.strip()))
    return first, headers


async def copy_exactly(reader, writer, n):
    while n:
        piece = await reader.read(min(n, PIECE))
        if not piece:
            raise ConnectionError("the body is incomplete")
        n -= len(piece)
        writer.write(piece)
        await writer.drain()


async def copy_body(reader, writer, headers, to_the_end):
    """Copies a body, whose length the headers define. Returns whether the connection can be used again."""
    headers = dict(headers)
    if "chunked" in headers.get("transfer-encoding", ""):
        while True:
            size = await reader.readline()
            writer.write(size)
            n = int(size.split(b";")[0], 16)
            await copy_exactly(reader, writer, n + 2)
            if n == 0:
                return True
    if "content-length" in headers:
        await copy_exactly(reader, writer, int(headers["content-length"]))
        return True
    if to_the_end:
        await copy_all(reader, writer)
        return False
    return True


async def copy_all(reader, writer):
    while piece := await reader.read(PIECE):
        writer.write(piece)
        await writer.drain()


def head(first, headers):
    lines = [first, *(f"{name}: {value}" for name, value in headers if name not in OF_ONE_CONNECTION)]
    return "\r\n".join([*lines, "connection: close", "", ""]).encode("latin-1")


async def answer(writer, status):
    writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode())
    await writer.drain()


async def tunnel(reader, writer, there_reader, there_writer):
    writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")

    async def one_way(source, target):
        await copy_all(source, target)
        if target.can_write_eof():
            target.write_eof()

    await asyncio.gather(one_way(reader, there_writer), one_way(there_reader, writer))


async def pass_on(method, url, headers, reader, writer):
    """Handles one request and its answer. Returns whether the client's connection can be used again."""
    there_reader, there_writer = await connect(url.hostname, url.port or 80)
    try:
        target = urllib.parse.urlunsplit(("", "", url.path or "/", url.query, ""))
        there_writer.write(head(f"{method} {target} HTTP/1.1", headers))
        await copy_body(reader, there_writer, headers, to_the_end=False)
        found = await read_head(there_reader)
        if found is None:
            raise ConnectionError("the server does not answer")
        first, answered = found
        status = int(first.split()[1])
        has_body = method != "HEAD" and status not in (204, 304)
        # Without a length, the end of the connection ends the body, and also the client's connection.
        sized = any(name in ("content-length", "transfer-encoding") for name, _ in answered)
        stays = sized or not has_body
        kept = [(name, value) for name, value in answered if name not in OF_ONE_CONNECTION]
        kept.append(("connection", "keep-alive" if stays else "close"))
        lines = [first, *(f"{name}: {value}" for name, value in kept), "", ""]
        writer.write("\r\n".join(lines).encode("latin-1"))
        if has_body:
            await copy_body(there_reader, writer, answered, to_the_end=True)
        await writer.drain()
        print(f"{method} {url.path} {status}", flush=True)
        return stays
    finally:
        there_writer.close()


async def connect(host, port):
    try:
        return await asyncio.wait_for(asyncio.open_connection(host, port), CONNECTING)
    except OSError as error:
        raise ConnectionError("no connection") from error


async def requests(reader, writer):
    while found := await read_head(reader):
        first, headers = found
        try:
            method, target, _ = first.split(" ")
        except ValueError:
            raise Bad("not a request")
        try:
            if method == "CONNECT":
                host, _, port = target.rpartition(":")
                there = await connect(host, int(port))
                print("CONNECT", flush=True)
                try:
                    return await tunnel(reader, writer, *there)
                finally:
                    there[1].close()
            if not await pass_on(method, urllib.parse.urlsplit(target), headers, reader, writer):
                return
        except ConnectionError as error:
            print(f"{method}: {error}", flush=True)
            return await answer(writer, "502 Bad Gateway")


async def client(reader, writer):
    try:
        await requests(reader, writer)
    except Bad as error:
        print(f"bad: {error}", flush=True)
        await answer(writer, "400 Bad Request")
    except ConnectionError:
        pass  # the client went
    finally:
        writer.close()


async def main(host, port):
    server = await asyncio.start_server(client, host, int(port))
    print(f"Serving on {server.sockets[0].getsockname()}", flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
