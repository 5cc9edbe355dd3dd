"""The compressed files of a component: sources and package data of the library, the environment and the program.

The build collects them into the snapshot of the interpreter's memory. At run time, modules that the build did not
import are imported from them.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

# Endings of files that Python does not read, or WASI cannot load.
_USELESS = (
    ".pyc",
    ".pyo",
    ".pyi",
    ".a",
    ".o",
    ".exe",
    ".wasm",
    ".c",
    ".h",
    ".cpp",
    ".hpp",
    ".pyx",
    ".pxd",
    ".rs",
    ".whl",
    ".map",
)
_COMPILED = (".so", ".pyd", ".dll", ".dylib")
# Parts of the standard library that no component uses.
_NOT_OF_THE_LIBRARY = frozenset("test idlelib tkinter turtledemo ensurepip lib2to3 site-packages pydoc_data venv".split())
# Components do not need build tools and installers. This package is added separately.
_NOT_OF_THE_ENVIRONMENT = frozenset(
    "pip setuptools wheel pkg_resources _distutils_hack componentize_py asyncio_streams bin".split()
)
# Folders of a program that contain no modules of it.
_NOT_OF_PROGRAMS = frozenset("node_modules target build dist venv env".split())
# Bounds that catch a home folder given by mistake, a data set, and a component that starts slowly.
_MOST_ENTRIES = 100_000
_LARGEST_FILE = 8 << 20
_LARGEST = 96 << 20


class TooMuchError(Exception):
    """The files of a program exceed a bound."""


class Bundle:
    """Files by their paths."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[int, bytes]] = {}
        self._folders: dict[str, list[str]] = {}
        # Compiled parts, which are left out: the path of the module without its ending, and the file's name.
        self.compiled: dict[str, str] = {}
        self._entries = 0
        # The folders that were searched, also those without a file that is kept.
        self.visited: list[str] = []
        # The compressed size of each package or module.
        self._sizes: dict[str, int] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._files

    def is_folder(self, path: str) -> bool:
        """Returns whether the bundle has the folder `path`."""
        return path in self._folders

    def size(self, path: str) -> int:
        """Returns the size of a file. Raises KeyError if it does not exist."""
        return self._files[path][0]

    def read(self, path: str) -> bytes:
        """Returns the content of a file. Raises KeyError if it does not exist."""
        return zlib.decompress(self._files[path][1])

    def names(self, path: str) -> list[str]:
        """Returns the names in a folder. Raises KeyError if it does not exist."""
        return self._folders[path]

    def paths(self) -> Iterator[str]:
        """Yields the paths of all files."""
        return iter(self._files)

    def dump(self, file: BinaryIO, about: Any) -> None:
        """Writes all files, and `about` as JSON, into a file."""
        head = {
            "about": about,
            "files": [[path, size, len(data)] for path, (size, data) in self._files.items()],
            "folders": self._folders,
            "compiled": self.compiled,
        }
        text = json.dumps(head).encode()
        file.write(len(text).to_bytes(8, "big") + text)
        for _, data in self._files.values():
            file.write(data)

    def load(self, file: BinaryIO) -> Any:
        """Adds the content of a file written by `dump`; returns its `about`. Raises ValueError for other files."""
        head = json.loads(file.read(int.from_bytes(file.read(8), "big")))
        for path, size, length in head["files"]:
            self._files[path] = (size, file.read(length))
        for folder, names in head["folders"].items():
            known = self._folders.setdefault(folder, [])
            known += [name for name in names if name not in known]
        self.compiled.update(head["compiled"])
        return head["about"]

    def take_library(self, place: str) -> None:
        """Adds the standard library."""
        self._take(place, lambda name: name in _NOT_OF_THE_LIBRARY or name.startswith("config-"), data_everywhere=True)

    def take_environment(self, place: str) -> None:
        """Adds the installed packages."""

        def useless(name: str) -> bool:
            return name.partition("-")[0] in _NOT_OF_THE_ENVIRONMENT

        self._take(place, useless, data_everywhere=True)

    def take_own(self, place: str, only: Iterable[str] = ()) -> None:
        """Adds a folder of the program: sources, and data beside sources, but not the data beside the program itself.

        If `only` has names, adds only these of the folder itself.
        """
        self._take(place, lambda name: name in _NOT_OF_PROGRAMS, data_everywhere=False, only=frozenset(only))

    def _take(
        self, place: str, useless: Callable[[str], bool], *, data_everywhere: bool, only: frozenset[str] = frozenset()
    ) -> None:
        for folder, with_data, names in self._walk(place, useless, data_everywhere, only):
            kept = []
            for name in names:
                path = f"{folder}/{name}"
                if name.endswith(_COMPILED):
                    self.compiled[f"{folder}/{name.partition('.')[0]}"] = name
                elif (with_data and not name.endswith(_USELESS)) or name.endswith(".py"):
                    if self._take_file(path, path[len(place) + 1 :].partition("/")[0]):
                        kept.append(name)
            if kept:
                self._add_folder(folder, kept, place)

    def _walk(
        self, place: str, useless: Callable[[str], bool], data_everywhere: bool, only: frozenset[str]
    ) -> Iterator[tuple[str, bool, list[str]]]:
        """Yields every folder below `place`, whether its data is included, and its files."""
        data: dict[str, bool] = {place: data_everywhere}
        for folder, inner, found in os.walk(place):
            self.visited.append(folder)
            names = [name for name in found if not name.startswith(".") and (folder != place or not only or name in only)]
            self._entries += len(inner) + len(found)
            if self._entries > _MOST_ENTRIES:
                raise TooMuchError(
                    f"more than {_MOST_ENTRIES} files and folders are beside the program, in the folders of -p, or "
                    "installed: give the program a folder of its own, and an environment with what it needs"
                )
            if folder == place and only:
                inner[:] = [name for name in inner if name in only]
            inner[:] = sorted(
                name
                for name in inner
                if name != "__pycache__"
                and not name.startswith(".")
                and not (folder == place and useless(name))
                and not os.path.isfile(f"{folder}/{name}/pyvenv.cfg")
            )
            counts = data[folder]
            if folder != place and not counts:
                counts = folder.endswith((".dist-info", ".egg-info")) or any(name.endswith(".py") for name in names)
            for name in inner:
                data[f"{folder}/{name}"] = counts and (data_everywhere or folder != place)
            yield folder, counts, sorted(names)

    def _take_file(self, path: str, top: str) -> bool:
        try:
            if os.path.getsize(path) > _LARGEST_FILE:
                return False
            with open(path, "rb") as file:
                content = file.read()
        except OSError:
            return False
        compressed = zlib.compress(content, 6)
        self._sizes[top] = self._sizes.get(top, 0) + len(compressed)
        if sum(self._sizes.values()) > _LARGEST:
            raise TooMuchError(
                f"what the component would carry is larger than {_LARGEST >> 20} MB; {self._largest()} are the largest. "
                "Use an environment with only what the program needs"
            )
        self._files[path] = (len(content), compressed)
        return True

    def _largest(self) -> str:
        names = sorted(self._sizes, key=lambda name: -self._sizes[name])[:3]
        return ", ".join(f"{name} ({self._sizes[name] >> 20} MB)" for name in names)

    def _add_folder(self, folder: str, names: list[str], place: str) -> None:
        """Adds names to a folder, and the folder to its parents."""
        self._folders.setdefault(folder, []).extend(names)
        while folder != place and "/" in folder:
            folder, _, name = folder.rpartition("/")
            names = self._folders.setdefault(folder, [])
            if name in names:
                return
            names.append(name)
