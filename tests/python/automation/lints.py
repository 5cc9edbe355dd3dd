"""Lints, format and types of everything written in Python, and the spelling of all files."""

from . import environment
from .paths import PACKAGE, PLACE, ROOT
from .process import run

# Versions whose rules the sources follow.
_TOOLS = ["ruff==0.17.6", "mypy==2.4.1", "typos==1.52.0"]

# Rules for programs: mistakes, and outdated Python.
_RULES = "E4,E7,E9,F,UP"

# Programs in Python, beside the package.
_PROGRAMS = ["bench", "examples/python", "tests/python"]


def check() -> None:
    """Checks the package strictly, the programs by the usual rules, and the spelling."""
    tools = environment.python("lints", _TOOLS).parent
    # Keep the tools' caches out of the sources.
    caches = {"RUFF_CACHE_DIR": str(PLACE / "lints/ruff"), "MYPY_CACHE_DIR": str(PLACE / "lints/mypy")}
    run([tools / "ruff", "check"], "`ruff check`", cwd=PACKAGE, **caches)
    run([tools / "ruff", "format", "--check"], "`ruff format`", cwd=PACKAGE, **caches)
    run([tools / "mypy", "asyncio_streams"], "`mypy`", cwd=PACKAGE, **caches)
    run([tools / "ruff", "check", "--select", _RULES, *_PROGRAMS], "`ruff check` of programs", **caches)
    run([tools / "typos"], "`typos`, which typos.toml configures", cwd=ROOT)
