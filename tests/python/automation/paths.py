"""The folders, and the programs that `cargo xtask` names in the environment."""

import os
from pathlib import Path

from .errors import Failure

ROOT = Path(__file__).resolve().parents[3]
TARGET = ROOT / "target"
COMPONENTS = TARGET / "components"

# The folder of everything that Python makes.
PLACE = TARGET / "python"

# The folder in which Python finds the package `asyncio_streams`.
PACKAGE = ROOT / "bindings" / "python"


def given(variable: str) -> Path:
    """The program whose path is in an environment variable."""
    value = os.environ.get(variable)
    if not value:
        raise Failure(f"{variable} is not set: `cargo xtask` sets it and runs this")
    return Path(value)


def on_path(name: str) -> Path | None:
    """The first file on PATH with this name."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return next((Path(folder, name) for folder in folders if Path(folder, name).is_file()), None)


def shown(path: Path) -> str:
    """The path as typed in the checkout's folder."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
