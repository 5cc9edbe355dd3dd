"""CPython's own tests of asyncio's streams. They are copied to `target/` only."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from . import interpreters
from .errors import Failure, LeftOut
from .paths import PLACE, on_path
from .process import run

# The files of CPython's package `test` that the two modules need, and every module of its folder `support`.
_FILES = [
    "__init__.py",
    "test_asyncio/__init__.py",
    "test_asyncio/functional.py",
    "test_asyncio/test_server.py",
    "test_asyncio/test_streams.py",
    "test_asyncio/utils.py",
    "certdata/ssl_cert.pem",
    "certdata/ssl_key.pem",
    "certdata/keycert3.pem",
    "certdata/pycacert.pem",
]

# Debian's packages of CPython 3.13, and their release. Its archive keeps the version.
_PACKAGES = ["libpython3.13-testsuite", "libpython3.13-stdlib"]
_RELEASE = "trixie"
_ARCHIVE = "http://deb.debian.org/debian"
_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@dataclass(frozen=True)
class Tests:
    """CPython's tests, in a folder in which Python finds modules."""

    folder: Path
    # As `CPython 3.13.5`.
    source: str


def tests() -> Tests:
    """The tests of this machine's CPython 3.13, else of a later version, else Debian's."""
    # The oldest that fits, so that results are comparable between machines.
    for interpreter in reversed(interpreters.all_of_them()):
        found = interpreter.numbers >= [3, 13] and interpreter.evaluate("test", "test.__path__[0]")
        if found and all((Path(found) / file).is_file() for file in _FILES):
            return _copy(Path(found), f"CPython {interpreter.version}")
    root = _debians()
    version = (root / "version").read_text()
    return _copy(root / "usr/lib/python3.13/test", f"CPython {version} of Debian's {_RELEASE}")


def _copy(package: Path, source: str) -> Tests:
    folder = PLACE / "cpython"
    shutil.rmtree(folder, ignore_errors=True)
    support = [file.relative_to(package) for file in sorted((package / "support").glob("*.py"))]
    for file in [*map(Path, _FILES), *support]:
        to = folder / "test" / file
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(package / file, to)
    return Tests(folder, source)


def _debians() -> Path:
    """The folder of Debian's packages, unpacked and not installed."""
    folder = PLACE / "debian"
    root = folder / "root"
    if root.is_dir():
        return root
    because = "no CPython 3.13 or later on this machine has its tests (its package `test`), and Debian's cannot be had"
    if on_path("apt-get") is None or not _KEYS.exists():
        raise LeftOut(f"{because}: this is no Debian")
    print(f"Getting CPython's tests from Debian's packages: {', '.join(_PACKAGES)}", flush=True)
    for below in ("lists/partial", "cache/archives/partial"):
        (folder / below).mkdir(parents=True, exist_ok=True)
    sources = folder / "sources.list"
    sources.write_text(f"deb [signed-by={_KEYS}] {_ARCHIVE} {_RELEASE} main\n")
    # Separate lists and settings: the machine's are for its own release.
    options = [
        f"Dir::Etc::SourceList={sources}",
        "Dir::Etc::SourceParts=-",
        f"Dir::State::lists={folder}/lists",
        f"Dir::Cache={folder}/cache",
        # For root, apt downloads as a separate user, who may not enter this folder.
        "APT::Sandbox::User=root",
    ]
    apt = ["apt-get", *(word for option in options for word in ("-o", option)), "-q", "-q"]
    try:
        run([*apt, "update"], "apt-get update", cwd=folder)
        run([*apt, "download", *_PACKAGES], "apt-get download", cwd=folder)
    except Failure as reason:
        raise LeftOut(f"{because}: {reason}") from reason
    fresh = folder / "fresh"
    for package in folder.glob("*.deb"):
        run(["dpkg", "--extract", package, fresh], "unpacking CPython's tests")
        # PACKAGE_VERSION_ARCHITECTURE.deb
        (fresh / "version").write_text(package.name.split("_")[1])
    # Rename, so that the folder is complete or missing.
    fresh.rename(root)
    return root
