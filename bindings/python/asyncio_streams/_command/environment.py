"""The environment with a program's packages: that of the command itself, or one made from a requirements file."""

from __future__ import annotations

import hashlib
import os
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from . import lock
from .errors import CommandError

_OURS = frozenset({"asyncio_streams", "componentize_py", "pip", "setuptools", "pkg_resources", "_distutils_hack", "wheel"})


@dataclass(frozen=True)
class Environment:
    """Folders with packages, and the virtual environment to which they belong, if any."""

    folders: tuple[Path, ...]
    prefix: Path | None

    @cached_property
    def packages(self) -> dict[str, Path]:
        """Returns its packages and modules, each with its folder or file, without build tools."""
        found: dict[str, Path] = {}
        for folder in self.folders:
            for entry in _entries(folder):
                path = Path(entry.path)
                name = entry.name.partition(".")[0]
                module = entry.name.endswith(".py") or (entry.is_dir() and "." not in entry.name)
                if module and name.isidentifier() and name not in _OURS and name != "__pycache__":
                    found.setdefault(name, path)
        return found

    def entries(self) -> Iterator[str]:
        """Yields the folders, and everything in them: `fingerprint` depends on these."""
        for folder in self.folders:
            yield str(folder)
            yield from (entry.path for entry in _entries(folder) if entry.name != "__pycache__")

    def fingerprint(self) -> str:
        """Returns a value that changes when a package is installed, upgraded or removed."""
        digest = hashlib.sha256()
        for folder in self.folders:
            for entry in sorted(_entries(folder), key=lambda entry: entry.name):
                if entry.name != "__pycache__":
                    about = entry.stat()
                    size = about.st_size if entry.is_file() else 0
                    digest.update(f"{folder}/{entry.name} {about.st_mtime_ns} {size}\n".encode())
        return digest.hexdigest()


def current() -> Environment:
    """Returns the environment in which the command is installed."""
    folders = [Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")]
    if sys.prefix != sys.base_prefix:
        return Environment(tuple(dict.fromkeys(folders)), Path(sys.prefix))
    if site.ENABLE_USER_SITE:
        folders.append(Path(site.getusersitepackages()))
    return Environment(tuple(dict.fromkeys(folders)), None)


def of_requirements(file: Path, cache: Path) -> Environment:
    """Returns an environment with the packages of a requirements file, which pip makes once. Raises CommandError."""
    try:
        text = file.read_bytes()
    except OSError as reason:
        raise CommandError(f"cannot read {file}: {reason.strerror}") from reason
    named = hashlib.sha256(text + sys.version.encode() + str(file.resolve().parent).encode()).hexdigest()[:24]
    prefix = cache / "environments" / named
    ready = prefix / "ready"
    with lock.one_at_a_time(prefix):
        if not ready.is_file():
            print(f"asyncio-streams: installing {file} (once, until the file changes)", file=sys.stderr)
            shutil.rmtree(prefix, ignore_errors=True)
            _call([sys.executable, "-m", "venv", str(prefix)], f"cannot make an environment for {file}")
            _call([_python_of(prefix), "-m", "pip", "install", "--quiet", "-r", str(file)], f"cannot install {file}")
            ready.touch()
    found = sorted(prefix.glob("lib/python*/site-packages"))
    return Environment(tuple(found), prefix)


def _python_of(prefix: Path) -> str:
    return str(prefix / "bin" / "python")


def _call(command: list[str], what: str) -> None:
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr).strip()
        raise CommandError(f"{what}:\n{said}")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []
