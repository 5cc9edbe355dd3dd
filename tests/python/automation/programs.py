"""Makes programs in Python into components, composes and compiles them: each step only after a change."""

import hashlib
import os
import sys
import time
import unittest
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from . import demo, environment, interpreters, requirements
from .errors import Failure, LeftOut
from .paths import COMPONENTS, PACKAGE, PLACE, ROOT, given, shown
from .process import MINUTES, run

# The tests use NAME.wasm, composed, and NAME.cwasm, the same compiled. The folder NAME has an interpreter and a
# program.
FOLDER = PLACE / "programs"

# The examples that the tests need as separate components. All other programs run in an interpreter.
_COMPONENTS = ["echo_client", "echo_server", "http_headers"]

# Prepares the interpreters and the programs that they run.
_PREPARE = ROOT / "tests" / "python" / "prepare.py"

_DEADLINE = 15 * MINUTES


@dataclass(frozen=True)
class Program:
    """A program in Python."""

    file: Path
    # More folders with its modules.
    modules: tuple[Path, ...] = ()
    name: str = field(default="")
    # Packages of Python's index that it contains, as `name==version`.
    packages: tuple[str, ...] = ()
    # Whether it, or one of its packages, imports `ssl`.
    tls: bool = False

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.file.stem.replace("_", "-"))


def build_all() -> list[Program]:
    """Makes the components, two at a time: making one uses one core, compiling uses all. Then prepares all
    programs."""
    tool = environment.python("environment", [environment.COMPONENTIZE])
    found = [Program(ROOT / "examples" / "python" / f"{name}.py") for name in _COMPONENTS]
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(lambda program: compiled(program, tool), found))
    _prepare(tool)
    return found


def test() -> None:
    """Runs the package's own tests and those of this folder, makes all components, and runs the demo.

    Prints the CPython that the tests compare with, and how many checks ran.
    """
    stock = interpreters.stock()
    own = unittest.defaultTestLoader.discover(str(Path(__file__).parent), top_level_dir=str(Path(__file__).parents[1]))
    if not unittest.TextTestRunner(stream=sys.stderr).run(own).wasSuccessful():
        raise Failure("the tests of the automation in Python failed")
    discover = ["-m", "unittest", "discover", "--start-directory", "tests", "--top-level-directory", "."]
    run([stock.program, *discover], "the package's own tests", cwd=PACKAGE)
    made = build_all()
    demo.converse()
    print(f"PYTHON={stock.program}")
    print(f"test result: ok. {len(made) + 3} passed; 0 failed; 0 ignored", flush=True)


def tool_of(program: Program) -> Path:
    """The Python that makes a program's component: its environment has the program's packages."""
    name = program.name if program.packages else "environment"
    constraints = requirements.FILE if program.packages else None
    return environment.python(name, [environment.COMPONENTIZE, *program.packages], constraints)


def streams(what: str, *, tls: bool) -> Path:
    """The component with the streams, for `what`. Raises LeftOut if it was not built."""
    found = COMPONENTS / ("streams-tls.wasm" if tls else "streams.wasm")
    if not found.is_file():
        needs = "needs clang when it is built" if tls else "`cargo xtask build` makes"
        raise LeftOut(f"{what}: there is no {shown(found)}, which {needs}")
    return found


def compiled(program: Program, tool: Path | None = None) -> Path:
    """The compiled component of a program; it is made after a change."""
    started = time.monotonic()
    tool = tool or tool_of(program)
    part, composed, ready = (FOLDER / f"{program.name}.{ending}" for ending in ("part.wasm", "wasm", "cwasm"))
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = renew(part, _sources(program), lambda: _make(program, tool, part), *program.packages)
    plug = streams(program.name, tls=program.tls)
    compose = [given("WAC"), "plug", part, "--plug", plug, "-o", composed]
    renew(composed, [part, plug], lambda: run(compose, f"composing {program.name}"))
    wasmtime = given("WASMTIME")
    compile_it = [wasmtime, "compile", composed, "-o", ready]
    done = renew(ready, [composed, wasmtime], lambda: run(compile_it, f"compiling {program.name}", _DEADLINE))
    if made or done:
        print(f"{shown(ready)} ({time.monotonic() - started:.1f} s)", flush=True)
    return ready


def renew(file: Path, made_of: Iterable[Path], make: Callable[[], None], *packages: str) -> bool:
    """Makes a file unless it was made from the same content and packages. Returns whether it was made."""
    digest = hashlib.sha256(" ".join([environment.COMPONENTIZE, *packages]).encode())
    for source in made_of:
        digest.update(str(source).encode())
        digest.update(source.read_bytes() if source.is_file() else b"")
    stamp = file.with_name(file.name + ".stamp")
    if file.is_file() and stamp.is_file() and stamp.read_text() == digest.hexdigest():
        return False
    stamp.unlink(missing_ok=True)
    make()
    stamp.write_text(digest.hexdigest())
    return True


def _make(program: Program, tool: Path, part: Path) -> None:
    command = [tool, "-m", "asyncio_streams.build", program.file, "-o", part]
    for folder in program.modules:
        command += ["-p", folder]
    if program.tls:
        command.append("--with-tls")
    run(command, f"making a component of {shown(program.file)}", _DEADLINE, PYTHONPATH=str(PACKAGE))


def _prepare(tool: Path) -> None:
    """Prepares each program of the tests with an interpreter, as `asyncio-streams run` does."""
    variables = {
        "PYTHONPATH": str(PACKAGE),
        "ASYNCIO_STREAMS_HOST": str(given("WASMTIME")),
        "ASYNCIO_STREAMS_CACHE": str(PLACE / "cache"),
        # It composes with `streams` if that is built, otherwise with `wac`.
        "PATH": os.pathsep.join([str(given("WAC").parent), os.environ.get("PATH", "")]),
    }
    run([tool, _PREPARE, FOLDER], "preparing the programs in Python", _DEADLINE, **variables)


def _sources(program: Program) -> list[Path]:
    """All files that are part of the component, and the versions of its packages."""
    files = {program.file, *([requirements.FILE] if program.packages else [])}
    for folder in [PACKAGE / "asyncio_streams", ROOT / "wit", *program.modules]:
        files.update(file for file in folder.rglob("*") if file.suffix in {".py", ".wit"})
    # Packages beside the program are part of it.
    for beside in program.file.parent.iterdir():
        if beside.suffix == ".dist-info" or (beside / "__init__.py").is_file():
            files.update(file for file in beside.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return sorted(files)
