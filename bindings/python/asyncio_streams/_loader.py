"""Imports modules from a bundle by a path hook, so that all users of Python's import system find them."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from . import _adapted
from ._bundle import Bundle

_FileLoader: Any = importlib.machinery.SourceFileLoader


class Loader(_FileLoader):
    """Loads a module whose source is in the bundle."""

    def __init__(self, name: str, path: str, bundle: Bundle) -> None:
        super().__init__(name, path)
        self._bundle = bundle

    def get_data(self, path: str) -> bytes:
        """Returns the content of a file. Raises OSError if it is neither in the bundle nor in the file system."""
        try:
            return self._bundle.read(path)
        except KeyError:
            data: bytes = super().get_data(path)
            return data

    def path_stats(self, path: str) -> Any:
        """Raises OSError: there is no compiled code to compare with the source."""
        raise OSError("a component carries no compiled code")


class AdaptingLoader(Loader):
    """Loads a module that is adapted. Not used for others, because its line would be in their tracebacks."""

    def exec_module(self, module: ModuleType) -> None:
        """Runs the module, and adapts it."""
        super().exec_module(module)
        _adapted.adapt(module)


class Finder(importlib.abc.PathEntryFinder):
    """Finds the modules in one folder of the bundle."""

    def __init__(self, path: str, bundle: Bundle) -> None:
        self._path = path
        self._bundle = bundle

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> importlib.machinery.ModuleSpec | None:
        """Returns the module, the package or the part of a namespace with that name."""
        base = f"{self._path}/{fullname.rpartition('.')[2]}"
        for path, inside in ((f"{base}/__init__.py", [base]), (f"{base}.py", None)):
            if path in self._bundle:
                kind = AdaptingLoader if _adapted.is_known(fullname) else Loader
                return importlib.util.spec_from_file_location(
                    fullname, path, loader=kind(fullname, path, self._bundle), submodule_search_locations=inside
                )
        if self._bundle.is_folder(base):
            spec = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = [base]
            return spec
        return None

    def iter_modules(self, prefix: str = "") -> Iterator[tuple[str, bool]]:
        """Yields the modules in the folder, for `pkgutil`: the name, and whether it is a package."""
        for name in sorted(self._bundle.names(self._path)):
            if name.endswith(".py") and name != "__init__.py":
                yield prefix + name[:-3], False
            elif f"{self._path}/{name}/__init__.py" in self._bundle:
                yield prefix + name, True

    def invalidate_caches(self) -> None:
        """Does nothing: a bundle does not change."""


def install(bundle: Bundle) -> None:
    """Makes Python look for modules in the bundle, before the file system."""

    def hook(path: str) -> Finder:
        path = path.rstrip("/")
        if not bundle.is_folder(path):
            raise ImportError("not a folder of the component's")
        return Finder(path, bundle)

    sys.path_hooks.insert(0, hook)
    sys.path_importer_cache.clear()
    for module in list(sys.modules.values()):
        adopt(module, bundle)


def adopt(module: ModuleType, bundle: Bundle) -> None:
    """Makes a module that was imported from a file part of the bundle, which then provides its source and data."""
    spec = getattr(module, "__spec__", None)
    if spec is not None and type(spec.loader) is _FileLoader and spec.origin in bundle:
        spec.loader = Loader(spec.name, spec.origin, bundle)
        module.__loader__ = spec.loader
