"""Virtual environments below `target/python`, each made once."""

from pathlib import Path

from . import interpreters
from .errors import Failure, LeftOut
from .paths import PLACE
from .process import output_of, run

# The tool that makes components of Python programs. It contains CPython 3.14.
COMPONENTIZE = "componentize-py==0.25.1"


def python(name: str, packages: list[str]) -> Path:
    """The Python of an environment with these packages; missing ones are installed."""
    folder = PLACE / name
    program = folder / "bin" / "python"
    if all(_has(program, package) for package in packages):
        return program
    print(f"Making an environment for Python, once, with {', '.join(packages)}", flush=True)
    base = interpreters.with_venv().program
    run([base, "-m", "venv", "--clear", folder], "making an environment for Python")
    install = [program, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    try:
        run(install, f"getting {', '.join(packages)} from Python's package registry")
    except Failure as reason:
        raise LeftOut(f"{reason}; pip says why above") from reason
    return program


def command(options) -> None:
    """The command `environment`: prints the Python of the environment as the last line."""
    print(python(options.name, options.packages))


def _has(program: Path, package: str) -> bool:
    name, _, version = package.partition("==")
    found = output_of([program, "-c", f"import importlib.metadata as m; print(m.version({name!r}))"])
    return found is not None and (not version or found == version)
