"""The process beside the component, in place of threads in CPython's tests. It ends with the process that started it.

It prints its three addresses, one a line, as variables of the environment:

    OUTSIDE_HTTP=...       a server that answers each request with a short page, as the server of CPython's tests does
    OUTSIDE_CLOSING=...    a server that closes each connection at once
    OUTSIDE_CONTROL=...    a line ``HOST PORT`` requests a client that connects there; ``done`` follows when it
                           has ended well
"""

import os
import socket
import socketserver
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


def page(environ, start_response):
    start_response("200 OK", [("Content-type", "text/plain")])
    return [b"Test message"]


class Closing(socketserver.BaseRequestHandler):
    def handle(self):
        pass


class Control(socketserver.StreamRequestHandler):
    def handle(self):
        host, port = self.rfile.readline().split()
        try:
            client(host.decode(), int(port))
            self.wfile.write(b"done\n")
        except OSError as error:
            self.wfile.write(f"{error}\n".encode())


def client(host: str, port: int) -> None:
    """Connects as soon as the port listens, sends a line, waits for a byte."""
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            sock = socket.create_connection((host, port), timeout=PATIENCE)
            break
        except ConnectionRefusedError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.02)
    with sock:
        sock.sendall(HELLO)
        if not sock.recv(1):
            raise ConnectionAbortedError("the server closed without an answer")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


def main() -> None:
    parent = os.getppid()
    http = Http(("127.0.0.1", 0), Quiet)
    http.set_app(page)
    closing = Server(("127.0.0.1", 0), Closing)
    control = Server(("127.0.0.1", 0), Control)
    for name, server in (("HTTP", http), ("CLOSING", closing), ("CONTROL", control)):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host, port = server.server_address[:2]
        print(f"OUTSIDE_{name}={host}:{port}", flush=True)
    while os.getppid() == parent:
        time.sleep(1)


main()
