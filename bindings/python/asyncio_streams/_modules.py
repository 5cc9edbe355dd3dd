"""The imports of a program: many happen during the build, the others at run time, from the bundle."""

from __future__ import annotations

import ast
import codecs
import importlib
import importlib.abc
import inspect
import os
import sys
import traceback
from collections.abc import Iterator, Sequence, Set
from types import FrameType, ModuleType
from typing import Any

from ._bundle import Bundle

# Modules that nearly every program needs at some time. Imported during the build, they cost no time.
_LATER = (
    "_colorize _strptime ast copyreg dis gettext inspect linecache locale opcode operator pickle random shutil string "
    "stringprep struct textwrap token tokenize traceback unicodedata warnings weakref"
).split()
_ENCODINGS = (
    "aliases ascii base64_codec charmap cp1252 cp437 hex_codec idna iso8859_1 iso8859_15 latin_1 punycode "
    "raw_unicode_escape unicode_escape utf_16 utf_16_be utf_16_le utf_32 utf_32_be utf_32_le utf_7 utf_8 utf_8_sig "
    "undefined zlib_codec"
).split()


class MissingModuleError(ImportError):
    """The program imports a module that is missing, or that this build leaves out."""


def import_all(tree: ast.Module, places: Sequence[str], more: Sequence[str]) -> list[str]:
    """Imports everything that the program `tree` imports, wherever it does, and `more`.

    Also imports the modules that modules in `places` import inside functions. The program imports a failed module again
    when it needs it. Returns a report on each import at the program's top level that fails with an error other than
    ImportError. Raises MissingModuleError when such an import, or one of `more`, fails with ImportError.
    """
    notes: list[str] = []
    for name in more:
        _import(name, notes, needed=True)
    _import_usual()
    needed = set(_at_top(tree))
    for name in _imported(tree):
        _import(name, notes, needed=name in needed)
    _find_codecs(tree)
    _import_inner(places, {name.partition(".")[0] for name in _imported(tree)})
    return notes


def import_known(names: Sequence[str]) -> None:
    """Imports these modules, and their imports inside functions.

    A module that fails is imported again when a program needs it.
    """
    _import_usual()
    for name in names:
        _import(name, [], needed=False)
    _import_inner((), {name.partition(".")[0] for name in names} - sys.stdlib_module_names)


def _import_usual() -> None:
    for name in _LATER:
        _import(name, [], needed=False)
    for name in _ENCODINGS:
        _import(f"encodings.{name}", [], needed=False)


def _import_inner(places: Sequence[str], direct: Set[str]) -> None:
    """Imports everything that the modules in `places`, and those of the packages `direct`, import anywhere."""
    done: set[str] = set()
    while True:
        new = [(name, module) for name, module in list(sys.modules.items()) if name not in done]
        if not new:
            return
        for name, module in new:
            done.add(name)
            if _is_in(module, places) or name in direct:
                inner = _tree_of(module)
                if inner is not None:
                    for wanted in _imported(inner, getattr(module, "__package__", None)):
                        _import(wanted, [], needed=False)
                    _find_codecs(inner)


class Explaining(importlib.abc.MetaPathFinder):
    """The last finder: explains why a module is missing."""

    def __init__(self, bundle: Bundle, *, with_tls: bool) -> None:
        self._bundle = bundle
        self._with_tls = with_tls
        # Whether the program runs. During the build, most failing imports are attempts.
        self.active = False

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        """Raises ModuleNotFoundError for modules that the component cannot have, and at run time for all modules.

        For a compiled part that is imported by `from package import part` it raises ImportError, as natively.
        """
        file = self._compiled(fullname, path)
        if file is not None:
            package, _, last = fullname.rpartition(".")
            reason = (
                f"it is a compiled part ({file}), which a component cannot load: use a package in pure Python instead, "
                f"or a version of {fullname.partition('.')[0]!r} without compiled parts"
            )
            if _is_in_from_list(sys._getframe(1)):
                # Python would drop a ModuleNotFoundError there.
                raise ImportError(f"cannot import name {last!r} from {package!r}; {reason}", name=package)
        else:
            reason = self._reason(fullname)
        if reason:
            raise ModuleNotFoundError(f"No module named {fullname!r}; {reason}", name=fullname)

    def _compiled(self, fullname: str, path: Any) -> str | None:
        last = fullname.rpartition(".")[2]
        files = (self._bundle.compiled.get(f"{folder}/{last}") for folder in (sys.path if path is None else path))
        return next((file for file in files if file is not None), None)

    def _reason(self, fullname: str) -> str:
        if fullname == "_ssl" and not self._with_tls:
            return (
                "it needs --with-tls: this component was built without TLS, which `import ssl` takes. `asyncio-streams` "
                "adds TLS by itself if the program, or a package that it imports, has an `import ssl`"
            )
        # A caller that only looks for a spec gets none, and no error.
        if self.active and sys._getframe(3).f_code.co_name == "_find_and_load_unlocked":
            return (
                "is it installed? A component has the modules of the environment in which it was built, those beside the "
                "program and those in the folders given by -p"
            )
        return ""


def _is_in_from_list(frame: FrameType | None) -> bool:
    """Returns whether the import in `frame` is that of a name in `from package import name`."""
    while frame is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        if frame.f_code.co_name == "_handle_fromlist":
            return True
        frame = frame.f_back
    return False


def _import(name: str, notes: list[str], *, needed: bool) -> None:
    try:
        importlib.import_module(name)
    except ImportError as reason:
        if name.rpartition(".")[0] in sys.modules and not needed:
            return
        if needed:
            text = "" if "; " in str(reason) else "; is it installed, or its directory given by -p?"
            raise MissingModuleError(f"cannot import {name!r}: {reason}{text}\n{_where(reason)}") from reason
    except (Exception, SystemExit) as reason:
        if needed:
            notes.append(
                f"importing {name!r} failed while the component was built, so it is imported when the program runs:\n"
                f"{_where(reason)}{type(reason).__name__}: {reason}"
            )


def _where(reason: BaseException) -> str:
    """Returns the source lines of the modules through which an exception has passed."""
    own = (os.path.dirname(__file__), os.path.dirname(importlib.__file__), "<frozen ")
    frames = [frame for frame in traceback.extract_tb(reason.__traceback__) if not frame.filename.startswith(own)]
    return "".join(traceback.format_list(frames))


def _imported(tree: ast.AST, package: str | None = None) -> Iterator[str]:
    """Yields every module that `tree` imports; `from a import b` yields both `a` and `a.b`, which may be a module."""
    for node in ast.walk(tree):
        yield from _names(node, package)


def _names(node: ast.AST, package: str | None) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            if not package:
                return
            parents = package.split(".")
            parents = parents[: len(parents) - node.level + 1]
            base = ".".join([*parents, base] if base else parents)
        if base and base != "__future__":
            yield base
            for alias in node.names:
                if alias.name != "*":
                    yield f"{base}.{alias.name}"


def _at_top(tree: ast.Module) -> Iterator[str]:
    """Yields the modules without which the program cannot start."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _find_codecs(tree: ast.AST) -> None:
    """Imports the codecs that a string in the program may name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and 0 < len(node.value) < 24:
            if node.value.isascii() and node.value.replace("-", "").replace("_", "").isalnum():
                try:
                    codecs.lookup(node.value)
                except (LookupError, ValueError, ImportError):
                    pass


def _is_in(module: ModuleType, places: Sequence[str]) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and file.startswith(tuple(place + os.sep for place in places))


def _tree_of(module: ModuleType) -> ast.Module | None:
    try:
        return ast.parse(inspect.getsource(module))
    except (OSError, TypeError, SyntaxError, UnicodeDecodeError):
        return None
