"""The tools that the command needs besides Python: the components, componentize-py, and the host.

A wheel contains the components and the program `streams`, which composes, compiles and runs; in a checkout they are
under `target`. `wasmtime` can replace `streams`, but grants only the whole network or none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .errors import CommandError

COMPONENTIZE = "componentize-py==0.25.1"
# The variable that names another host program.
VARIABLE = "ASYNCIO_STREAMS_HOST"

_HERE = Path(__file__).resolve().parents[1]
_CHECKOUT = _HERE.parents[2]
_CARRIED = _HERE / "_carried"


@dataclass(frozen=True)
class Grants:
    """The grants of a program."""

    connect: tuple[str, ...] = ()
    listen: tuple[str, ...] = ()
    network: bool = False
    unix_connect: tuple[str, ...] = ()
    unix_listen: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    # Folders that the program can only read; `wasmtime` has no such grant.
    readable: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Host:
    """A program that runs components: `streams` or `wasmtime`."""

    program: Path
    is_wasmtime: bool

    @property
    def tells_signals(self) -> bool:
        """Returns whether it provides `asyncio:streams/signals`."""
        return not self.is_wasmtime

    def identity(self) -> str:
        """Returns a value that changes with the program; code compiled by another version may be unusable."""
        about = self.program.stat()
        return f"{self.program} {about.st_size} {about.st_mtime_ns}"

    def compile(self, component: Path, output: Path) -> None:
        """Compiles a component to machine code. Raises CommandError."""
        # The interpreter is cached as a whole; `streams` needs no cache of its own.
        options = [] if self.is_wasmtime else ["--cache", "off"]
        call([str(self.program), "compile", *options, str(component), "-o", str(output)], "compiling")
        if not output.is_file():
            raise CommandError(f"{self.program} has compiled nothing: {VARIABLE} must name `streams` or wasmtime")

    def command(self, compiled: Path, grants: Grants, arguments: list[str]) -> list[str]:
        """Returns the command that runs the output of `compile`. Raises CommandError for unsupported grants."""
        command = [str(self.program), "run"]
        if self.is_wasmtime:
            command.append("--allow-precompiled")
            if grants.unix_connect or grants.unix_listen:
                raise CommandError(f"{self.program} has no Unix sockets: run by `streams`, which {VARIABLE} may name", 2)
            if grants.connect or grants.listen:
                raise CommandError(
                    f"{self.program} cannot grant single addresses: use --allow-network, or run by `streams`, which the "
                    f"wheel of asyncio-streams carries and {VARIABLE} may name",
                    2,
                )
            if grants.network:
                command += ["-S", "inherit-network", "-S", "allow-ip-name-lookup"]
        else:
            command += [f"--allow-connect={to}" for to in grants.connect]
            command += [f"--allow-listen={on}" for on in grants.listen]
            command += [f"--allow-unix-connect={to}" for to in grants.unix_connect]
            command += [f"--allow-unix-listen={on}" for on in grants.unix_listen]
            if grants.network:
                command.append("--allow-network")
        for folder in grants.folders:
            command += ["--dir", folder]
        for folder in grants.readable:
            command += ["--read-dir", folder]
        for variable in grants.variables:
            command += ["--env", variable]
        return [*command, str(compiled), *arguments]


def host() -> Host:
    """Returns the host: the one that the environment names, the wheel's, or one on PATH. Raises CommandError."""
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise CommandError(f"{VARIABLE} names {named!r}, which is no program", 2)
        return Host(Path(found), Path(found).stem == "wasmtime")
    streams = _streams()
    if streams is not None:
        return Host(streams, False)
    found = shutil.which("wasmtime")
    if found is None:
        raise CommandError(
            "there is nothing to run components with: install the wheel of asyncio-streams for this machine, which carries "
            f"`streams`, or wasmtime 48 or later, or name one of them in {VARIABLE}"
        )
    return Host(Path(found), True)


def streams(*, tls: bool, unix: bool) -> Path:
    """Returns the streams component. Raises CommandError if it is missing."""
    return component("-".join(["streams", *(["unix"] if unix else []), *(["tls"] if tls else [])]))


def component(name: str) -> Path:
    """Returns a component of the project: "streams", "streams-unix-tls". Raises CommandError if it is missing."""
    for folder in (_CARRIED, _CHECKOUT / "target" / "components"):
        if (folder / f"{name}.wasm").is_file():
            return folder / f"{name}.wasm"
    raise CommandError(f"{name}.wasm is missing: install the wheel of asyncio-streams; in a checkout, `cargo xtask build`")


def compose(part: Path, streams: Path, output: Path) -> None:
    """Composes a program's component with the streams. Raises CommandError."""
    composer = _streams()
    if composer is not None:
        call([str(composer), "compose", str(part), str(streams), "-o", str(output)], "composing")
        return
    wac = shutil.which("wac")
    if wac is None:
        raise CommandError(
            "there is nothing to compose components with: install the wheel of asyncio-streams for this machine, which "
            "carries `streams`; in a checkout, `cargo build --release -p asyncio-streams-host`"
        )
    call([wac, "plug", str(part), "--plug", str(streams), "-o", str(output)], "composing")


def componentize() -> str:
    """Returns the program componentize-py: the one beside this Python, or on PATH. Raises CommandError."""
    beside = shutil.which("componentize-py", path=str(Path(sys.executable).parent))
    found = beside or shutil.which("componentize-py")
    if found is None:
        raise CommandError(f"componentize-py is not installed: {sys.executable} -m pip install {COMPONENTIZE}")
    return found


def call(command: list[str], what: str, environment: dict[str, str] | None = None) -> str:
    """Runs a tool to its end; returns its output. Raises CommandError with that output if the tool fails."""
    try:
        done = subprocess.run(command, env=environment, text=True, capture_output=True, check=False)
    except OSError as reason:
        raise CommandError(f"cannot run {command[0]}: {reason.strerror}") from reason
    said = done.stdout + done.stderr
    if done.returncode:
        text = without_backtrace(said)
        raise CommandError(f"{what} failed:\n{text or _ending(command[0], done.returncode)}")
    return said


def _ending(program: str, status: int) -> str:
    if status < 0:
        return f"{program} was ended by the signal {-status}"
    return f"{program} ended with the exit status {status} and without a message"


def without_backtrace(text: str) -> str:
    """Returns the message of a tool without the tool's own traceback."""
    for name in ("MissingModuleError: ", "TooMuchError: "):
        before, found, cause = text.rpartition(name)
        if found:
            # The text occurs twice, and the last one is followed by the tool's own source lines.
            text = cause
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.strip().startswith(("Stack backtrace", "0: ", "stack backtrace")):
            return "\n".join(lines[:number]).rstrip()
    return text.rstrip()


def _streams() -> Path | None:
    for file in (_CARRIED / "streams", _CHECKOUT / "target" / "release" / "streams"):
        if os.access(file, os.X_OK):
            return file
    found = shutil.which("streams")
    if found is not None and _is_ours(found):
        return Path(found)
    return None


def _is_ours(program: str) -> bool:
    """Returns whether the program with that common name on PATH is the one of this project."""
    try:
        done = subprocess.run([program, "--help"], text=True, capture_output=True, check=False, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return False
    return "asyncio:streams" in done.stdout
