"""The interpreter with an environment's packages, built, compiled and cached once: programs start without a build."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import __version__
from . import again, component, lock, tools
from .environment import Environment
from .errors import CommandError
from .imports import Imports, closure

# The number of cached interpreters, about 100 MB each. The least recently used ones are deleted.
_KEPT = 6
# Modules of the standard library that many programs import. Imported during the build, they cost no time at the start.
_LIBRARY = (
    "argparse base64 bisect collections concurrent.futures contextlib copy csv dataclasses datetime email.message "
    "email.parser email.policy enum functools getpass hashlib heapq hmac html http http.client importlib.metadata "
    "importlib.resources io ipaddress itertools json logging logging.handlers math pathlib platform pprint queue re secrets "
    "selectors shlex signal socket statistics string struct subprocess tempfile textwrap threading time traceback types "
    "typing unittest urllib.parse urllib.request uuid xml.etree.ElementTree zipfile zoneinfo"
).split()


@dataclass(frozen=True)
class Wanted:
    """The properties of the interpreter that a program needs."""

    environment: Environment
    packages: frozenset[str]
    modules: tuple[str, ...]
    tls: bool
    inline_executor: bool
    unix: bool = False


def wanted(
    imports: Imports,
    environment: Environment,
    cache: Path | None = None,
    *,
    tls: bool,
    inline_executor: bool,
    all_packages: bool = False,
    unix: bool = False,
) -> Wanted:
    """Returns the interpreter for these imports: with TLS if the program, or a package that it imports, imports `ssl`.

    With `all_packages` the interpreter has imported every package of the environment, so programs with other imports
    share it. The imports of packages are determined once, and stored in the folder `cache` until the environment
    changes.
    """
    names = frozenset(environment.packages) if all_packages else imports.names
    tops = frozenset(name.partition(".")[0] for name in names) & environment.packages.keys()
    packages, of_packages = _known_closure(tops, environment, cache)
    modules = sorted(name for name in names if name.partition(".")[0] in tops)
    return Wanted(environment, packages, tuple(modules), tls or imports.tls or of_packages, inline_executor, unix)


def _known_closure(tops: frozenset[str], environment: Environment, cache: Path | None) -> tuple[frozenset[str], bool]:
    if cache is None or not tops:
        return closure(tops, environment.packages)
    key = hashlib.sha256(f"{__version__} {environment.fingerprint()} {sorted(tops)}".encode()).hexdigest()[:32]
    file = cache / "packages" / f"{key}.json"
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        return frozenset(known["packages"]), bool(known["tls"])
    except (OSError, ValueError, KeyError):
        packages, tls = closure(tops, environment.packages)
        file.parent.mkdir(parents=True, exist_ok=True)
        # Replace the file atomically: another command may be reading it.
        fresh = file.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps({"packages": sorted(packages), "tls": tls}), encoding="utf-8")
        fresh.replace(file)
        return packages, tls


def cache_folder() -> Path:
    """Returns the folder that the environment names, or the user's cache folder. Raises CommandError."""
    folder = Path(again.cache_place())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as reason:
        raise CommandError(
            f"cannot write into the cache folder {folder}: {reason.strerror}; name another one in the environment, as "
            f"{again.VARIABLE}=FOLDER"
        ) from reason
    return folder


def get(want: Wanted, host: tools.Host, cache: Path, *, rebuild: bool = False) -> Path:
    """Returns the compiled interpreter, and builds it if it is missing. Raises CommandError."""
    streams = tools.streams(tls=want.tls, unix=want.unix)
    place = cache / "interpreters" / _key(want, host, streams)
    compiled = place / "interpreter.cwasm"
    with lock.one_at_a_time(place):
        if compiled.is_file() and not rebuild:
            with contextlib.suppress(OSError):
                os.utime(place)
        else:
            _build(want, host, streams, place)
    return compiled


def _build(want: Wanted, host: tools.Host, streams: Path, place: Path) -> None:
    with_what = ", ".join(sorted(want.packages)) or "no packages"
    with tempfile.TemporaryDirectory(prefix="new-", dir=place.parent) as folder:
        # An interrupt after this message leaves no folder behind.
        print(f"asyncio-streams: building the interpreter with {with_what} (once, about half a minute)", file=sys.stderr)
        work, made = Path(folder) / "work", Path(folder) / "made"
        work.mkdir()
        made.mkdir()
        workshop = component.Workshop(
            work, with_tls=want.tls, with_signals=host.tells_signals, environment=want.environment.prefix
        )
        part = workshop.of_interpreter([*_LIBRARY, *want.modules], inline_executor=want.inline_executor)
        whole = work / "whole.wasm"
        tools.compose(part, streams, whole)
        host.compile(whole, made / "interpreter.cwasm")
        (made / "about.json").write_text(json.dumps({"modules": want.modules, "tls": want.tls}), encoding="utf-8")
        # Replace the folder atomically.
        shutil.rmtree(place, ignore_errors=True)
        made.rename(place)
    remove_old(place.parent, _KEPT)


def _key(want: Wanted, host: tools.Host, streams: Path) -> str:
    digest = hashlib.sha256()
    for text in (
        __version__,
        tools.COMPONENTIZE,
        host.identity(),
        want.environment.fingerprint(),
        " ".join(sorted(want.packages)),
        str(want.inline_executor),
    ):
        digest.update(text.encode() + b"\0")
    digest.update(streams.read_bytes())
    for file in _own_sources():
        digest.update(file.read_bytes())
    return digest.hexdigest()[:32]


def depends_on(want: Wanted, host: tools.Host) -> Iterator[str]:
    """Yields the files and folders that change if another interpreter is needed."""
    yield str(host.program)
    yield str(tools.streams(tls=want.tls, unix=want.unix))
    yield from map(str, _own_sources())
    # Also the parts of the command that choose an interpreter.
    yield from map(str, Path(__file__).parent.glob("*.py"))
    yield from want.environment.entries()


def _own_sources() -> Iterator[Path]:
    """Yields this package's sources that become part of an interpreter, or determine how it is built."""
    package = Path(__file__).resolve().parents[1]
    yield from sorted(file for file in package.rglob("*.py") if not {"_carried", "_command"} & set(file.parts))
    yield from (Path(__file__), Path(component.__file__))


def remove_old(folder: Path, count: int) -> None:
    """Deletes the least recently used folders in a folder, until `count` are left. One that was just used stays."""
    found = []
    for place in filter(Path.is_dir, folder.iterdir()):
        with contextlib.suppress(OSError):
            found.append((place.stat().st_mtime, place))
    found.sort(reverse=True)
    for used, place in found[count:]:
        # Another command may be making it, or may have just started to use it.
        if time.time() - used > 3600:
            shutil.rmtree(place, ignore_errors=True)
