"""The outside of the component, in place of the threads that CPython's tests start: ``outside.py`` is the other
side."""

import asyncio
import contextlib
import os
import socket
import types


class Outside:
    """The process outside; the environment has its addresses."""

    @staticmethod
    def _address(name: str) -> tuple[str, int]:
        host, port = os.environ[name].rsplit(":", 1)
        return host, int(port)

    @classmethod
    def http(cls) -> tuple[str, int]:
        """A server that answers each request with a short page."""
        return cls._address("OUTSIDE_HTTP")

    @classmethod
    def https(cls) -> tuple[str, int]:
        """The same with TLS."""
        return cls._address("OUTSIDE_HTTPS")

    @staticmethod
    def unix_http(*, use_ssl: bool) -> str:
        """The same on a Unix socket."""
        return os.environ["OUTSIDE_UNIX_HTTPS" if use_ssl else "OUTSIDE_UNIX_HTTP"]

    @classmethod
    def closing(cls) -> tuple[str, int]:
        """A server that closes each connection at once."""
        return cls._address("OUTSIDE_CLOSING")

    @classmethod
    def control(cls) -> tuple[str, int]:
        """The address where clients are requested."""
        return cls._address("OUTSIDE_CONTROL")


def replace_threads(module: types.ModuleType) -> None:
    """Replaces each thread that a module of the tests starts by the process outside."""
    match module.__name__:
        case "test.test_asyncio.utils":
            module.run_test_server = _run_test_server
            module.run_test_unix_server = _run_test_unix_server
            # All tests share one loop, which none of them may close.
            module.TestCase.close_loop = staticmethod(lambda loop: None)
        case "test.test_asyncio.functional":
            module.FunctionalTestCaseMixin.tcp_client = _client
            module.FunctionalTestCaseMixin.unix_client = _client
        case "test.test_asyncio.test_streams":
            # One test has a thread: a server that closes its first connection and passes its address through a queue.
            module.threading = types.SimpleNamespace(Thread=_NoThread)
            module.queue = types.SimpleNamespace(Queue=_AddressOfTheClosing)


@contextlib.contextmanager
def _run_test_server(*, host="127.0.0.1", port=0, use_ssl=False):
    yield types.SimpleNamespace(address=Outside.https() if use_ssl else Outside.http())


@contextlib.contextmanager
def _run_test_unix_server(*, use_ssl=False):
    yield types.SimpleNamespace(address=Outside.unix_http(use_ssl=use_ssl))


class _NoThread:
    daemon = False

    def __init__(self, target) -> None:
        pass

    def start(self) -> None:
        pass

    def join(self) -> None:
        pass


class _AddressOfTheClosing:
    def get(self) -> tuple[str, int]:
        return Outside.closing()


@contextlib.contextmanager
def _client(case, program):
    """A client that does the same as the test's function: connects, sends a line of 5 KiB, waits for a byte,
    closes."""
    listening = _address(program)
    control = socket.create_connection(Outside.control())
    control.sendall(f"{listening}\n".encode())

    async def has_ended() -> None:
        control.setblocking(False)
        answer = b""
        while not answer.endswith(b"\n"):
            try:
                more = control.recv(1000)
                if not more:
                    break
                answer += more
            except BlockingIOError:
                await asyncio.sleep(0.01)
        control.close()
        case.assertEqual(answer, b"done\n")

    case.addCleanup(has_ended)
    yield


def _address(program) -> str:
    """The address that the test's function connects to: a variable around it, as in ``client(sock, addr)``."""
    for cell in program.__closure__:
        match cell.cell_contents:
            case (host, port):
                return f"{host} {port}"
            case str(path):
                # The process outside has another working folder.
                return os.path.abspath(path)
    raise AssertionError("the test has changed: its client has no address")
