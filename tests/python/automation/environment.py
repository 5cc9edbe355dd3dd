"""Virtual environments below `target/python`, each made once."""

from collections.abc import Sequence
from pathlib import Path

from . import interpreters
from .errors import Failure, LeftOut
from .paths import PLACE
from .process import output_of, run

# The tool that makes components of Python programs. It contains CPython 3.14.
COMPONENTIZE = "componentize-py==0.25.1"


def python(name: str, packages: Sequence[str], constraints: Path | None = None) -> Path:
    """The Python of an environment with these packages; missing ones are installed.

    The file `constraints` has the versions of the packages that these bring along. The environment is made again after
    a change of it.
    """
    folder = PLACE / name
    program = folder / "bin" / "python"
    stamp = folder / "constraints.txt"
    wanted = constraints.read_text(encoding="utf-8") if constraints else ""
    found = stamp.read_text(encoding="utf-8") if stamp.is_file() else ""
    if found == wanted and all(_has(program, package) for package in packages):
        return program
    print(f"Making an environment for Python, once, with {', '.join(packages)}", flush=True)
    base = interpreters.with_venv().program
    run([base, "-m", "venv", "--clear", folder], "making an environment for Python")
    install: list[str | Path] = [program, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    if constraints:
        install += ["-c", constraints]
    try:
        run(install, f"getting {', '.join(packages)} from Python's package registry")
    except Failure as reason:
        raise LeftOut(f"{reason}; pip says why above") from reason
    if wanted:
        stamp.write_text(wanted, encoding="utf-8")
    return program


def command(options) -> None:
    """The command `environment`: prints the Python of the environment as the last line."""
    print(python(options.name, options.packages))


def _has(program: Path, package: str) -> bool:
    name, _, version = package.partition("==")
    found = output_of([program, "-c", f"import importlib.metadata as m; print(m.version({name!r}))"])
    return found is not None and (not version or found == version)
