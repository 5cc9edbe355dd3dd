"""Finds a program's imports without running it: packages of the environment, and whether TLS is among them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# Packages are searched for TLS by text: parsing all of them would take seconds.
_TLS_IN_TEXT = re.compile(rb"^[ \t]*(?:import|from)[ \t]+(?:_?ssl|OpenSSL)\b", re.MULTILINE)
_IMPORT_IN_TEXT = re.compile(rb"^[ \t]*(?:from|import)[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
_TLS_ARGUMENTS = frozenset({"ssl", "ssl_context", "sslcontext"})
_TLS_NAMES = frozenset({"start_tls", "create_default_context", "SSLContext"})


@dataclass(frozen=True)
class Imports:
    """The imports of some modules."""

    # Every dotted name; `from a import b` yields both `a` and `a.b`.
    names: frozenset[str]
    tls: bool

    @property
    def packages(self) -> frozenset[str]:
        """Returns the parts of the names before the first dot."""
        return frozenset(name.partition(".")[0] for name in self.names)


def of_program(tree: ast.Module, places: Iterable[Path]) -> Imports:
    """Returns the imports of a program and its modules in the folders `places`, without imports of each other."""
    places = list(places)
    names: set[str] = set()
    tls = False
    done: set[Path] = set()
    left: list[tuple[ast.Module, str]] = [(tree, "")]
    while left:
        module, package = left.pop()
        tls = tls or _uses_tls(module)
        for name in _imported(module, package):
            files = list(_own(name, places))
            if not files:
                names.add(name)
            for file, inside in files:
                if file not in done:
                    done.add(file)
                    try:
                        left.append((ast.parse(file.read_bytes(), str(file)), inside))
                    except (OSError, SyntaxError, ValueError):
                        # The import itself will report it.
                        continue
    # A name inside an own module is not a module.
    own = {name for name in names if any(_own(name.partition(".")[0], places))}
    return Imports(frozenset(names - own), tls or "ssl" in {name.partition(".")[0] for name in names})


def closure(packages: Iterable[str], environment: dict[str, Path]) -> tuple[frozenset[str], bool]:
    """Returns the packages that these names import, directly or not, and whether one of them imports TLS.

    `environment` maps each package to its file or folder.
    """
    found: set[str] = set()
    tls = False
    left = [name for name in packages if name in environment]
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        place = environment[name]
        for file in [place] if place.is_file() else place.rglob("*.py"):
            try:
                text = file.read_bytes()
            except OSError:
                continue
            tls = tls or _TLS_IN_TEXT.search(text) is not None
            inner = {match.decode() for match in _IMPORT_IN_TEXT.findall(text)}
            left += [name for name in inner if name in environment and name not in found]
    return frozenset(found), tls


def _uses_tls(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for argument in node.keywords:
                if argument.arg in _TLS_ARGUMENTS:
                    value = argument.value
                    if not isinstance(value, ast.Constant) or value.value:
                        return True
        elif isinstance(node, ast.Attribute) and node.attr in _TLS_NAMES:
            return True
    return False


def _own(name: str, places: list[Path]) -> Iterator[tuple[Path, str]]:
    """Yields the program's files that an import of `name` runs, each with the package for relative names."""
    parts = name.split(".")
    for place in places:
        folder = place
        for number, part in enumerate(parts):
            package = folder / part / "__init__.py"
            inside = ".".join(parts[: number + 1])
            if package.is_file():
                yield package, inside
            elif (folder / f"{part}.py").is_file():
                yield folder / f"{part}.py", inside.rpartition(".")[0]
                break
            elif not (folder / part).is_dir():
                break
            folder = folder / part


def _imported(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".") if package else []
                parents = parents[: len(parents) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            if base and base != "__future__":
                yield base
                for alias in node.names:
                    if alias.name != "*":
                        yield f"{base}.{alias.name}"
