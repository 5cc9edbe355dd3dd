"""Connections with TLS: protected from the start, and by STARTTLS.

    tls_echo.py serve HOST PORT CERTIFICATE KEY
    tls_echo.py ask HOST PORT PLAIN-PORT AUTHORITY NAME

The server sends back each line in capitals, and protects a plain connection on request. The client prints what it
received, and how connections end that must be refused.
"""

import asyncio
import ssl
import sys

NAMES = ["upper", "lower"]


def server_context(certificate, key):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(NAMES)
    return context


def client_context(authority):
    context = ssl.create_default_context(cafile=authority)
    context.set_alpn_protocols(["lower", "other"])
    return context


async def serve(host, port, certificate, key):
    context = server_context(certificate, key)
    stopped = asyncio.Event()

    async def protected(reader, writer):
        try:
            print("alpn", writer.get_extra_info("ssl_object").selected_alpn_protocol(), flush=True)
            async for line in reader:
                if line == b"stop\n":
                    stopped.set()
                writer.write(line.upper())
                await writer.drain()
        finally:
            writer.close()

    async def plain(reader, writer):
        line = await reader.readline()
        if line == b"starttls\n":
            writer.write(b"go on\n")
            await writer.drain()
            await writer.start_tls(context)
            await protected(reader, writer)
        else:
            writer.write(b"no: " + line)
            writer.close()

    both = await asyncio.start_server(protected, host, int(port), ssl=context)
    other = await asyncio.start_server(plain, host, 0)
    print(f"plain {other.sockets[0].getsockname()[1]}")
    print(f"Serving on {both.sockets[0].getsockname()}", flush=True)
    async with both, other:
        await stopped.wait()


async def ask(host, port, plain, authority, name):
    context = client_context(authority)
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context, server_hostname=name)
    tls = writer.get_extra_info("ssl_object")
    print(tls.version(), tls.selected_alpn_protocol(), writer.get_extra_info("sslcontext") is context)
    certificate = writer.get_extra_info("peercert")
    print(certificate["subjectAltName"], sorted(certificate)[:3])
    print(writer.get_extra_info("compression"), len(writer.get_extra_info("cipher")))
    writer.write(b"one\ntwo\n")
    print(await reader.readline(), await reader.readexactly(4))
    data = bytes(range(10, 250)).replace(b"a", b"b") * 4096
    sending = asyncio.create_task(send(writer, data + b"\n"))
    received = 0
    while received < len(data) + 1:
        received += len(await reader.read(1 << 20))
    await sending
    print(received)
    writer.close()
    await writer.wait_closed()

    # A connection that begins unprotected.
    reader, writer = await asyncio.open_connection(host, int(plain))
    print(writer.get_extra_info("sslcontext"))
    writer.write(b"starttls\n")
    print(await reader.readline())
    await writer.start_tls(context, server_hostname=name.encode())
    print(writer.get_extra_info("ssl_object").version(), writer.get_extra_info("sslcontext") is context)
    writer.write(b"protected\n")
    print(await reader.readline())
    writer.close()
    await writer.wait_closed()

    # Connections that must be refused: another name, an authority that is not trusted, a server without TLS.
    for why, other, hostname, to in [
        ("name", context, "other.test", port),
        ("authority", ssl.create_default_context(), name, port),
    ]:
        try:
            await asyncio.open_connection(host, int(to), ssl=other, server_hostname=hostname)
        except ssl.SSLCertVerificationError as error:
            print(why, isinstance(error, ssl.SSLError))
    unchecked = client_context(authority)
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(host, int(port), ssl=unchecked, server_hostname="any.test")
    writer.write(b"stop\n")
    print("unchecked", await reader.readline())
    writer.close()
    await writer.wait_closed()


async def send(writer, data):
    for start in range(0, len(data), 100_000):
        writer.write(data[start : start + 100_000])
        await writer.drain()


async def main(order, *words):
    await {"serve": serve, "ask": ask}[order](*words)


asyncio.run(main(*sys.argv[1:]))
