"""The process beside the component, in place of threads in CPython's tests. It ends with the process that started it.

    outside.py [UNIX_FOLDER CERTIFICATE KEY]

It prints its addresses, one a line, as variables of the environment:

    OUTSIDE_HTTP=...       a server that answers a request with a short page, /loop with its body, as the server of CPython's
                           tests does
    OUTSIDE_CLOSING=...    a server that closes each connection at once
    OUTSIDE_CONTROL=...    a line ``HOST PORT`` or ``PATH`` requests a client that connects there; ``done`` follows when
                           it has ended well

With arguments also

    OUTSIDE_HTTPS=...      the first server with TLS
    OUTSIDE_UNIX_HTTP=..., OUTSIDE_UNIX_HTTPS=...  both on Unix sockets in the folder
"""

import os
import socket
import socketserver
import ssl
import sys
import threading
import time
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

PATIENCE = 30
HELLO = b"1" * 1024 * 5 + b"\n"


class Quiet(WSGIRequestHandler):
    timeout = PATIENCE

    def log_message(self, format, *args):
        pass


class Http(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # how a client ends is its own matter


class UnixHttp(Http):
    address_family = getattr(socket, "AF_UNIX", None)

    def server_bind(self):
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", 80
        self.setup_environ()

    def get_request(self):
        request, _ = super().get_request()
        return request, ("127.0.0.1", 0)


def page(environ, start_response):
    start_response("200 OK", [("Content-type", "text/plain")])
    return echo(environ) if environ["PATH_INFO"] == "/loop" else [b"Test message"]


def echo(environ):
    """The body of the request."""
    left = int(environ["CONTENT_LENGTH"])
    while left:
        data = environ["wsgi.input"].read(min(left, 65536))
        if not data:
            return
        left -= len(data)
        yield data


class Closing(socketserver.BaseRequestHandler):
    def handle(self):
        pass


class Control(socketserver.StreamRequestHandler):
    def handle(self):
        *host, last = self.rfile.readline().decode().split()
        try:
            client((host[0], int(last)) if host else last)
            self.wfile.write(b"done\n")
        except OSError as error:
            self.wfile.write(f"{error}\n".encode())


def client(address: tuple[str, int] | str) -> None:
    """Connects once a server listens at `address`, sends a line, and waits for a byte."""
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            sock = connected(address)
            break
        except (ConnectionRefusedError, FileNotFoundError):
            if time.monotonic() > give_up:
                raise
            time.sleep(0.02)
    with sock:
        sock.sendall(HELLO)
        if not sock.recv(1):
            raise ConnectionAbortedError("the server closed without an answer")


def connected(address: tuple[str, int] | str) -> socket.socket:
    if not isinstance(address, str):
        return socket.create_connection(address, timeout=PATIENCE)
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(PATIENCE)
    try:
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


def protected(server, certificate, key):
    """Makes a server speak TLS; the handshake happens in the thread of the connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


def main() -> None:
    parent = os.getppid()
    servers = {
        "HTTP": Http(("127.0.0.1", 0), Quiet),
        "CLOSING": Server(("127.0.0.1", 0), Closing),
        "CONTROL": Server(("127.0.0.1", 0), Control),
    }
    if len(sys.argv) > 1:
        folder, certificate, key = sys.argv[1:]
        servers["HTTPS"] = protected(Http(("127.0.0.1", 0), Quiet), certificate, key)
        servers["UNIX_HTTP"] = UnixHttp(f"{folder}/http.sock", Quiet)
        servers["UNIX_HTTPS"] = protected(UnixHttp(f"{folder}/https.sock", Quiet), certificate, key)
    for name, server in servers.items():
        if isinstance(server, Http):
            server.set_app(page)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = server.server_address
        shown = address if isinstance(address, str) else f"{address[0]}:{address[1]}"
        print(f"OUTSIDE_{name}={shown}", flush=True)
    while os.getppid() == parent:
        time.sleep(1)


main()
