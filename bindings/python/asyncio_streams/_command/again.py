"""Starts a program in the same way as before, if nothing has changed since.

The imports of the rest of the command take longer than the program's own start, so this module imports only modules that
every Python has imported anyway. A record contains the command that ran, and the marks of everything on which it depends.
"""

from __future__ import annotations

import os
import sys
import time
from binascii import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# The variable that names another cache folder.
VARIABLE = "ASYNCIO_STREAMS_CACHE"

_FOLDER = "starts"
_FORMAT = "asyncio-streams 1"
_VARIABLES = (VARIABLE, "ASYNCIO_STREAMS_HOST", "HOME", "XDG_CACHE_HOME", "PATH", "PYTHONPATH")
# More files take longer to look at than the start without a record.
_MOST = 10_000
# A file that changes twice within this time may have the same mark both times.
_TOO_NEW = 50_000_000
# The number of records. All are deleted when there are more.
_KEPT = 1000


def cache_place() -> str:
    """Returns the path of the cache folder: the one that the environment names, or the user's."""
    named = os.environ.get(VARIABLE)
    if named:
        return named
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Caches/asyncio-streams")
    return os.path.join(os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache"), "asyncio-streams")


def start(arguments: list[str]) -> None:
    """Becomes the recorded command. Returns if there is none, or if something has changed."""
    if arguments[:1] != ["run"]:
        return
    try:
        key = _key(arguments)
        with open(_file(key), encoding="utf-8", errors="surrogateescape") as file:
            fields = iter(file.read().split("\0"))
        if next(fields) != _FORMAT or _list(fields) != key:
            return
        command, marks, used = _list(fields), _list(fields), _list(fields)
        for mark in marks:
            if mark != _mark(mark.partition(" ")[2]):
                return
        for path in used:
            # The least recently used ones are deleted; one that was deleted is an error here.
            os.utime(path)
        os.execv(command[0], command)
    except (OSError, ValueError, StopIteration):
        return


def record(arguments: list[str], command: list[str], depends_on: Iterable[str], used: Iterable[str], began: int) -> None:
    """Records the command for these arguments, whose files were read after the time `began` (ns).

    `used` are folders of the cache. Writes nothing if it depends on too many files, or if one has just changed. A failure
    only costs time at the next start.
    """
    paths = sorted(set(depends_on))
    if len(paths) > _MOST:
        return
    try:
        if any(os.stat(path).st_mtime_ns > began - _TOO_NEW for path in paths if os.path.exists(path)):
            return
        key = _key(arguments)
        lists = (key, command, [_mark(path) for path in paths], list(used))
        text = "\0".join([_FORMAT, *(field for one in lists for field in (str(len(one)), *one))])
        target = _file(key)
        folder = os.path.dirname(target)
        # Only for this user: the arguments may contain secrets.
        os.makedirs(folder, mode=0o700, exist_ok=True)
        names = os.listdir(folder)
        if len(names) > _KEPT:
            for name in names:
                os.unlink(os.path.join(folder, name))
        # Replace the file atomically: another command may be reading it.
        fresh = f"{target}.{os.getpid()}"
        opened = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(opened, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        os.replace(fresh, target)
    except (OSError, ValueError):
        return


def now() -> int:
    """Returns the time in nanoseconds, as files have it."""
    return time.time_ns()


def _key(arguments: list[str]) -> list[str]:
    variables = [f"{name}={os.environ.get(name, '')}" for name in _VARIABLES]
    return [sys.executable, os.getcwd(), *variables, *arguments]


def _file(key: list[str]) -> str:
    number = crc32("\0".join(key).encode("utf-8", "surrogateescape"))
    return os.path.join(cache_place(), _FOLDER, f"{number:08x}")


def _list(fields: Iterable[str]) -> list[str]:
    fields = iter(fields)
    return [next(fields) for _ in range(int(next(fields)))]


def _mark(path: str) -> str:
    """Returns the path with a mark that changes with the content of a file, and with the names in a folder."""
    try:
        about = os.stat(path)
    except OSError:
        return f"- {path}"
    return f"{about.st_mtime_ns}:{about.st_size} {path}"
