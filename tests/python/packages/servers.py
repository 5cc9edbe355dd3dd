"""The servers of the programs: from Debian's packages, from Python's index, and small ones in Python.

Each is a context manager that returns the port. One that is not available raises `Missing`.
"""

import asyncio
import contextlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

DEADLINE = 60


class Missing(Exception):
    """A program that this machine does not have."""


def free_port():
    """A port that was free a moment ago, for programs that cannot choose one themselves."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def wait_for(port, process):
    """Waits until the port listens."""
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None:
            raise Missing(f"{process.args[0]} ended: {process.stdout.read()}")
        time.sleep(0.05)
    raise Missing(f"{process.args[0]} does not listen")


@contextlib.contextmanager
def program(*command, user=None):
    """Runs a program, as another user if one is named, and ends it afterwards; `PORT` in its arguments becomes a free
    port."""
    port = free_port()
    arguments = [str(part).replace("PORT", str(port)) for part in command]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, user=user) as process:
        try:
            wait_for(port, process)
            yield port
        finally:
            process.terminate()


def found(name, *elsewhere):
    """A program on PATH or in one of the other places. Raises Missing."""
    places = [*elsewhere, os.environ.get("PATH", ""), "/usr/sbin"]
    path = shutil.which(name, path=os.pathsep.join(str(place) for place in places))
    if path is None:
        raise Missing(f"there is no {name} on this machine")
    return path


def debian(package, name, peers, where="usr/bin"):
    """Finds a program of a Debian package: installed, or unpacked into the folder `peers`. Raises Missing.

    `where` is a pattern of the package's folder with the program.
    """
    root = peers / package

    def program_of_package():
        own = [path for base in (Path("/"), root) for path in sorted(base.glob(where))]
        return [found(name, *own, root / "usr/bin", root / "usr/sbin")]

    with contextlib.suppress(Missing):
        return program_of_package()
    if not shutil.which("apt-get"):
        raise Missing(f"{name} is in Debian's package {package}, and this is no Debian")
    with tempfile.TemporaryDirectory(dir=_made(peers)) as folder:
        plan = _said(["apt-get", "-q", "install", "--simulate", "--no-install-recommends", "-y", package], folder)
        packages = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
        _said(["apt-get", "-q", "download", *packages], folder)
        fresh = Path(folder) / "root"
        for file in Path(folder).glob("*.deb"):
            _said(["dpkg", "--extract", str(file), str(fresh)], folder)
        with contextlib.suppress(OSError):
            fresh.rename(root)
    return program_of_package()


def with_libraries(command, peers):
    """The command, with the libraries that were unpacked beside it."""
    root = Path(command[0]).parents[2]
    if not root.is_relative_to(peers):
        return command
    folders = {str(file.parent) for file in root.rglob("*.so*")}
    return ["env", f"LD_LIBRARY_PATH={os.pathsep.join(sorted(folders))}", *command]


def _made(folder):
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _said(command, folder, given="", user=None):
    environment = dict(os.environ, LC_ALL="C.UTF-8")
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=environment, check=False, input=given, user=user
    )
    if done.returncode:
        raise Missing(f"{' '.join(command[:3])} failed: {(done.stdout + done.stderr).strip()[-300:]}")
    return done.stdout


@contextlib.contextmanager
def redis(place, *options):
    command = with_libraries(debian("redis-server", "redis-server", place.peers), place.peers)
    with (
        tempfile.TemporaryDirectory() as folder,
        program(*command, "--port", "PORT", "--bind", "127.0.0.1", "--save", "", "--dir", folder, *options) as port,
    ):
        yield port


@contextlib.contextmanager
def mosquitto(place):
    command = with_libraries(debian("mosquitto", "mosquitto", place.peers), place.peers)
    with program(*command, "-p", "PORT") as port:
        yield port


@contextlib.contextmanager
def nats(place):
    with program(found("nats-server", place.bin), "-a", "127.0.0.1", "-p", "PORT") as port:
        yield port


@contextlib.contextmanager
def mariadb(place):
    """A MariaDB with the database `shop`, and the user `app` with the password `secret`."""
    (server,) = debian("mariadb-server-core", "mariadbd", place.peers)
    base = Path(server).parents[1]
    tables = base / "share/mysql"
    with tempfile.TemporaryDirectory() as folder:
        command = [*with_libraries([server], place.peers), "--no-defaults", f"--basedir={base}", f"--datadir={folder}/data"]
        command += [f"--lc-messages-dir={tables}", *(["--user=root"] if os.geteuid() == 0 else [])]
        Path(folder, "data").mkdir()
        # As mariadb-install-db does, with which the package's own programs would have to be installed.
        statements = "create database mysql;\nuse mysql;\nset @auth_root_socket=NULL;\nset @skip_auth_anonymous=1;\n"
        for name in ("mysql_system_tables.sql", "mysql_system_tables_data.sql"):
            statements += (tables / name).read_text()
        _said([*command, "--bootstrap", "--skip-networking"], folder, statements)
        start = Path(folder, "start.sql")
        start.write_text(
            "CREATE DATABASE shop;\nCREATE USER app@'127.0.0.1' IDENTIFIED BY 'secret';\n"
            "GRANT ALL ON shop.* TO app@'127.0.0.1';\n"
        )
        command += [f"--init-file={start}", "--port=PORT", "--bind-address=127.0.0.1", f"--socket={folder}/socket"]
        with program(*command) as port:
            yield port


@contextlib.contextmanager
def postgresql(place):
    """A PostgreSQL with the user `app`, and the password `secret`."""
    (server,) = debian("postgresql", "postgres", place.peers, "usr/lib/postgresql/*/bin")
    # PostgreSQL refuses to run as root; `nobody` is the system's user without rights.
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "password").write_text("secret\n")
        if user:
            for path in (folder, f"{folder}/password"):
                shutil.chown(path, user)
        make = with_libraries([str(Path(server).with_name("initdb"))], place.peers)
        make += ["-D", f"{folder}/data", "-U", "app", "-A", "scram-sha-256", f"--pwfile={folder}/password", "--no-sync"]
        _said(make, folder, user=user)
        command = [*with_libraries([server], place.peers), "-D", f"{folder}/data", "-p", "PORT", "-k", folder]
        with program(*command, "-c", "listen_addresses=127.0.0.1", user=user) as port:
            yield port


class _Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/json":
            self.answer(200, json.dumps({"path": self.path}).encode(), "application/json")
        elif path == "/moved":
            self.answer(302, b"", "text/plain", [("Location", "/json")])
        elif path == "/stream":
            self.answer(200, b"one\ntwo\nthree\n", "text/plain")
        else:
            self.answer(404, b"nothing", "text/plain")

    def do_POST(self):
        self.answer(200, self.rfile.read(int(self.headers["Content-Length"])), "text/plain")

    def answer(self, status, content, kind, more=()):
        self.send_response(status)
        for name, value in [("Content-Type", kind), ("Content-Length", str(len(content))), *more]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def http_server(place):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


@contextlib.contextmanager
def dns(place):
    """A name server for one zone, over UDP and TCP."""
    with program(place.python, Path(__file__).with_name("dns_server.py"), "PORT") as port:
        yield port


def run_dns(port):
    """Serves the records that `programs/dnspython.py` requests."""
    import dns.message
    import dns.rcode
    import dns.rrset

    records = {
        "A": ["192.0.2.1", "192.0.2.2"],
        "AAAA": ["2001:db8::1"],
        "MX": ["10 mail.example.test."],
        "TXT": ['"some text"'],
    }

    def answer(wire):
        query = dns.message.from_wire(wire)
        question = query.question[0]
        response = dns.message.make_response(query)
        kind = dns.rdatatype.to_text(question.rdtype)
        if question.name.to_text() != "example.test.":
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif kind in records:
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *records[kind]))
        return response.to_wire()

    class Datagrams(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, address):
            self.transport.sendto(answer(data), address)

    async def serve(reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                size = int.from_bytes(await reader.readexactly(2), "big")
                wire = answer(await reader.readexactly(size))
                writer.write(len(wire).to_bytes(2, "big") + wire)
        writer.close()

    async def main():
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(Datagrams, local_addr=("127.0.0.1", port))
        server = await asyncio.start_server(serve, "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(main())
