"""`cargo xtask demo python`: the echo pair in Python, as components."""

from pathlib import Path

from . import environment, programs
from .errors import Failure
from .paths import ROOT, given
from .process import Running

# Far more than the conversation takes; the components are compiled before it.
_DEADLINE = 120

# The last line of both programs.
_LAST_LINE = "Close the connection"

_BY_HAND = "target/by-hand"


def demo() -> None:
    """Runs the demo, and prints the equivalent manual commands."""
    converse()
    print(f"\nThe same by hand, in {ROOT}:\n")
    for about, line in lines():
        print(f"# {about}\n{line}" if about else line)
    print("\nThe crate wac-cli has the program wac; the crate wasmtime-cli, version 48, has wasmtime.")


def converse() -> None:
    """Lets both programs talk. Raises Failure when the client does not receive its message."""
    server, client = (_compiled(name) for name in ("echo_server", "echo_client"))
    print("\nThe echo server and the echo client in Python, run by wasmtime:\n", flush=True)
    try:
        with _start(server, "127.0.0.1", "0") as serving:
            host, port = _address(serving)
            with _start(client, host, port) as talking:
                echoed = False
                while (line := talking.line()) is not None:
                    print(f"client | {line}")
                    echoed |= line == "Received: 'Hello World!'"
                if talking.status() or not echoed:
                    raise Failure("the client did not get its message back")
            while (line := serving.line()) != _LAST_LINE:
                if line is None:
                    raise Failure("the server ended during the conversation")
                print(f"server | {line}")
            print(f"server | {line}", flush=True)
    except TimeoutError as reason:
        raise Failure(str(reason)) from reason


def lines() -> list[tuple[str, str]]:
    """The equivalent manual commands, each with its purpose. The README has them too."""
    python = f"{_BY_HAND}/python/bin/python"

    def build(source: str, name: str) -> str:
        return (
            f"PYTHONPATH=bindings/python {python} -m asyncio_streams.build examples/python/{source}.py "
            f"--streams target/components/streams.wasm -o {_BY_HAND}/{name}.wasm"
        )

    def run(name: str) -> str:
        return f"wasmtime run -S inherit-network {_BY_HAND}/{name}.wasm 127.0.0.1 8888"

    return [
        ("an environment with the tool that makes components of Python programs", f"python3 -m venv {_BY_HAND}/python"),
        ("", f"{_BY_HAND}/python/bin/pip install --quiet {environment.COMPONENTIZE}"),
        ("the server, composed with the streams by wac", build("echo_server", "echo_server")),
        ("the shortest client", build("hello", "hello_client")),
        ("run the server (-S inherit-network: it may use this machine's network)", run("echo_server")),
        ("run the client, in another terminal", run("hello_client")),
    ]


def _compiled(name: str) -> Path:
    return programs.compiled(programs.Program(ROOT / "examples" / "python" / f"{name}.py"))


def _start(component: Path, *arguments: str) -> Running:
    options = ["run", "--allow-precompiled", "-S", "inherit-network"]
    return Running([given("WASMTIME"), *options, component, *arguments], component.stem, _DEADLINE)


def _address(serving: Running) -> tuple[str, str]:
    """The address in `Serving on ('127.0.0.1', 8888)`."""
    while (line := serving.line()) is not None:
        print(f"server | {line}")
        before, found, address = line.partition("Serving on ('")
        if found and not before:
            host, _, port = address.partition("', ")
            return host, port.partition(")")[0]
    raise Failure("the server ended before it listened")
