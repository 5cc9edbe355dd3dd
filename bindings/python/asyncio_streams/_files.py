"""The bundle as files: `open`, `os.stat` and `pathlib` find package data beside modules.

A file that the host grants takes precedence over a file of the bundle with the same path. The bundle is read-only.
"""

from __future__ import annotations

import _io
import builtins
import io
import os
import stat
import tokenize
from collections.abc import Iterator
from typing import Any

from ._bundle import Bundle

_open, _stat, _lstat, _listdir, _scandir = builtins.open, os.stat, os.lstat, os.listdir, os.scandir
_bundle = Bundle()
_UNGRANTED = (
    "asyncio:streams: a component sees only the folders that it is granted, by --dir HOST[::GUEST], and this path is in none"
)


def install(bundle: Bundle) -> None:
    """Makes Python's functions find the files of the bundle."""
    global _bundle
    _bundle = bundle
    patched: Any = os
    builtins.open = io.open = open_file
    # The standard library's loaders read sources by these names, and so do loaders of packages derived from them.
    io.open_code = _io.open_code = open_code
    patched.stat, patched.lstat = _or_bundled(_stat), _or_bundled(_lstat)
    patched.listdir, patched.scandir = list_folder, scan_folder
    # The module has its own reference to `open`; tracebacks read sources through it.
    kept: Any = tokenize
    kept._builtin_open = open_file


def open_file(  # noqa: PLR0917
    file: Any,
    mode: str = "r",
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    closefd: bool = True,
    opener: Any = None,
) -> Any:
    """Replaces `open`: looks into the bundle for missing files that are opened for reading."""
    try:
        return _open(file, mode, buffering, encoding, errors, newline, closefd, opener)
    except OSError as reason:
        path = _path(file)
        if path is None or path not in _bundle or not set(mode) <= set("rbt"):
            if isinstance(reason, FileNotFoundError) and path is not None and not _sees_folder_above(file):
                reason.add_note(_UNGRANTED)
            raise
    content = io.BytesIO(_bundle.read(path))
    content.name = path
    if "b" in mode:
        return content
    return io.TextIOWrapper(content, encoding, errors, newline)


def open_code(path: str) -> Any:
    """Replaces `io.open_code`."""
    return open_file(path, "rb")


def list_folder(path: Any = ".") -> Any:
    """Replaces `os.listdir`."""
    try:
        return _listdir(path)
    except OSError:
        found = _path(path)
        if found is None or not _bundle.is_folder(found):
            raise
        names = _bundle.names(found)
        return [os.fsencode(name) for name in names] if isinstance(path, bytes) else list(names)


def scan_folder(path: Any = ".") -> Any:
    """Replaces `os.scandir`."""
    try:
        return _scandir(path)
    except OSError:
        found = _path(path)
        if found is None or not _bundle.is_folder(found):
            raise
        return _Scan(_Entry(name, os.fspath(path), f"{found}/{name}") for name in _bundle.names(found))


def _or_bundled(function: Any) -> Any:
    """Returns a replacement of `os.stat` or `os.lstat` that looks into the bundle for missing files."""

    def look(path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
        more = {} if function is _lstat else {"follow_symlinks": follow_symlinks}
        try:
            result: os.stat_result = function(path, dir_fd=dir_fd, **more)
            return result
        except OSError:
            found = _path(path)
            if found is not None and found in _bundle:
                return _status(stat.S_IFREG | 0o444, _bundle.size(found))
            if found is not None and _bundle.is_folder(found):
                return _status(stat.S_IFDIR | 0o555, 0)
            raise

    return look


def _status(mode: int, size: int) -> os.stat_result:
    return os.stat_result((mode, 0, 0, 1, 0, 0, size, 0, 0, 0))


def _sees_folder_above(file: Any) -> bool:
    """Returns whether a folder above a file exists, in the file system or in the bundle.

    Of the root, only that of the file system counts: WASI's C library does not find it unless it is granted.
    """
    folder = os.path.abspath(os.fsdecode(file))
    while True:
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above
        try:
            _stat(folder)
        except OSError:
            if _bundle.is_folder(folder) and folder != os.path.dirname(folder):
                return True
        else:
            return True


def _path(path: Any) -> str | None:
    """Returns the path in the bundle's format; none for descriptors."""
    if isinstance(path, int):
        return None
    try:
        return os.path.normpath(os.path.join("/", os.fsdecode(path)))
    except (TypeError, ValueError):
        return None


class _Scan:
    """The result of `os.scandir`."""

    def __init__(self, entries: Iterator[_Entry]) -> None:
        self._entries = entries

    def __iter__(self) -> _Scan:
        return self

    def __next__(self) -> _Entry:
        return next(self._entries)

    def __enter__(self) -> _Scan:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the scan."""
        self._entries = iter(())


class _Entry:
    """An entry of `os.scandir`."""

    def __init__(self, name: str, folder: Any, path: str) -> None:
        within = os.fsdecode(folder)
        self.name: Any = os.fsencode(name) if isinstance(folder, bytes) else name
        self.path: Any = os.path.join(folder, self.name) if within else self.name
        self._found = path

    def __fspath__(self) -> Any:
        return self.path

    def inode(self) -> int:
        """Returns 0: there are no inodes."""
        return 0

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Returns whether it is a folder."""
        return _bundle.is_folder(self._found)

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Returns whether it is a file."""
        return self._found in _bundle

    def is_symlink(self) -> bool:
        """Returns False: the bundle has no links."""
        return False

    def is_junction(self) -> bool:
        """Returns False: the bundle has no junctions."""
        return False

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Returns the result of `os.stat`."""
        return os.stat(self._found)
