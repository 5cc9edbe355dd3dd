"""Uploads, closes and returns, while the peer reads late and writes late: every byte has to arrive.

        tls_upload.py serve CERTIFICATE KEY           prints for each upload how much has arrived, and whether it is
    right
    tls_upload.py send PORT plain|tls wait|leave AUTHORITY

The peer starts to read after the connection was closed, which a second connection reports.
"""

import asyncio
import hashlib
import socket
import ssl
import sys

SIZE = 400_000
CONTENT = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(SIZE // 32))


def serve(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    with socket.socket() as server:
        # Small buffers, so that most of an upload has to wait on the other side.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        server.bind(("127.0.0.1", 0))
        server.listen()
        print(f"Serving on {server.getsockname()}", flush=True)
        while True:
            peer, _ = server.accept()
            control, _ = server.accept()
            with peer, control:
                name = control.makefile("r").readline().strip()
                if name.startswith("tls"):
                    peer = context.wrap_socket(peer, server_side=True)
                control.sendall(b"!")
                # Wait for the close.
                control.recv(1)
                try:
                    peer.sendall(b"late" * 1000)
                except OSError:
                    print("cannot write", flush=True)
                print(name, *received(peer), flush=True)
                peer.close()


def received(peer):
    got = bytearray()
    try:
        while data := peer.recv(65_536):
            got += data
    except OSError as reason:
        return len(got), bytes(got) == CONTENT, type(reason).__name__
    return len(got), bytes(got) == CONTENT


async def send(port, how, end, authority):
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    answers, control = await asyncio.open_connection("127.0.0.1", port)
    control.write(f"{how} {end}\n".encode())
    if how == "tls":
        context = ssl.create_default_context(cafile=authority)
        await writer.start_tls(context, server_hostname="server.test")
    await answers.readexactly(1)
    writer.write(CONTENT)
    writer.close()
    control.close()
    await control.wait_closed()
    if end == "wait":
        await writer.wait_closed()
    print("closed", end)


if sys.argv[1] == "serve":
    serve(*sys.argv[2:])
else:
    asyncio.run(send(*sys.argv[2:]))
