"""A program as a component: prepared while it is built, run as `__main__` when the component is.

componentize-py imports a module that the command has written, which calls `prepare` or `prepare_interpreter`, and then takes
a picture of the whole interpreter. The picture is what starts at run time: with all that was imported, but with neither
files nor a past.
"""

from __future__ import annotations

import ast
import asyncio
import atexit
import builtins
import gc
import io
import linecache
import os
import random
import sys
import traceback
import types
import weakref
from collections.abc import Sequence
from typing import Any

import componentize_py_runtime as runtime
from componentize_py_types import Err

from . import _files, _given, _install, _loader, _modules, _rewrite, _running, _twins, install
from ._bundle import Bundle

# How long at most a program that has ended waits for what it wrote to leave.
_LINGER = 5.0
# How much memory may be free when everything was imported.
_CLEARED = 24 << 20

_OURS = os.path.dirname(__file__) + os.sep
# Where one of these comes from this package, its lines are shown: it may be a mistake here.
_MISTAKES = (AssertionError, AttributeError, LookupError, NameError)

_program: _Program | None = None
_bundle: Bundle
_explaining: _modules.Explaining


class _Program:
    """A program, compiled."""

    def __init__(self, name: str, source: str, tree: ast.Module) -> None:
        self.name = name
        self.code = compile(_rewrite.rewrite(tree), name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        # For tracebacks.
        linecache.cache[name] = (len(source), None, source.splitlines(True), name)

    async def run(self, names: dict[str, Any]) -> None:
        """Runs it with these global names."""
        result = eval(self.code, names)
        if result is not None:
            await result


def prepare(
    name: str,
    *,
    places: Sequence[str],
    package: str,
    workshop: str,
    more: Sequence[str] = (),
    with_tls: bool = False,
    inline_executor: bool = True,
) -> None:
    """Gets everything ready for the program in the file `name`.

    `places` are the folders of its modules, the first one its own; `package` is where this package is. `workshop` is the
    folder of the build: its file `program` has the source, and what there is to say is written into its file `notes`. Raises
    SyntaxError for a program that is none, MissingModuleError for imports that cannot be had, TooMuchError for what is too
    large.
    """
    global _program
    with open(f"{workshop}/program", encoding="utf-8") as file:
        source = file.read()
    _set_up(places, package, workshop, with_tls=with_tls, inline_executor=inline_executor)
    tree = ast.parse(source, name)
    notes = _modules.import_all(tree, places, more)
    _program = _Program(name, source, tree)
    if notes:
        with open(f"{workshop}/notes", "w", encoding="utf-8") as file:
            file.write("\n".join(notes))
    _finish()


def prepare_interpreter(
    *, modules: Sequence[str], package: str, workshop: str, with_tls: bool = False, inline_executor: bool = True
) -> None:
    """Gets everything ready for whatever program is given when the component starts, with these modules imported.

    Raises TooMuchError for an environment that is too large.
    """
    _set_up((), package, workshop, with_tls=with_tls, inline_executor=inline_executor)
    _modules.import_known(modules)
    _finish()


def _set_up(places: Sequence[str], package: str, workshop: str, *, with_tls: bool, inline_executor: bool) -> None:
    global _bundle, _explaining
    install()
    _running.component_loop().inline_executor = inline_executor
    if with_tls:
        from . import tls

        tls.install()
    _install.replace(_running.replacements())
    here = os.path.dirname(__file__)
    _twins.install(_running.blocking(), tuple(place + os.sep for place in (here, "/python", "/bundled", "/world")))
    _bundle = _take(places, package, workshop)
    _loader.install(_bundle)
    _files.install(_bundle)
    _explaining = _modules.Explaining(_bundle, with_tls=with_tls)
    sys.meta_path.append(_explaining)


def _finish() -> None:
    for module in list(sys.modules.values()):
        _loader.adopt(module, _bundle)
    _clear_free_memory()


def _clear_free_memory() -> None:
    """Overwrites what is free by zeros: the picture has all of the memory, and only zeros take no place in it."""
    gc.collect()
    for size in (1 << 20, 1 << 16, 1 << 13, 1 << 10):
        kept = [bytearray(size) for _ in range(_CLEARED // size)]
        del kept


def _take(places: Sequence[str], package: str, workshop: str) -> Bundle:
    """Takes everything that can be imported."""
    bundle = Bundle()
    bundle.take_library("/python")
    for place in places:
        bundle.take_own(place)
    if package not in places:
        bundle.take_own(package, [os.path.basename(os.path.dirname(__file__))])
    for place in sys.path:
        # componentize-py numbers the folders that it is given, and what is installed comes after them.
        if place.strip("/").isdigit() and place not in (*places, package, workshop):
            bundle.take_environment(place)
    return bundle


async def run() -> None:
    """Runs the program. Raises Err if it ends by an exception, or by an exit status other than 0."""
    if not await _run():
        raise Err(None)


async def _run() -> bool:
    _refresh()
    loop: Any = asyncio.get_running_loop()
    task = asyncio.current_task()
    if task is not None:
        # The program shall not find, and not cancel, what it runs in.
        asyncio._unregister_task(task)
    fine = True
    try:
        program = _program or _given_program()
        main = types.ModuleType("__main__")
        main.__file__ = program.name
        main.__dict__["__builtins__"] = builtins
        sys.modules["__main__"] = main
        await _running.outside(loop, program.run(main.__dict__))
    except SystemExit as end:
        fine = _exit_status(end)
    except BaseException as reason:
        fine = False
        _show(reason)
    try:
        await _running.finish(loop)
        await loop.end_connections(_LINGER)
        _call_exit_functions()
    except BaseException as reason:
        fine = False
        _show(reason)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            fine = False
    return fine


def _given_program() -> _Program:
    """The program that the command has given to this start of the interpreter. Raises SyntaxError for one that is none."""
    name, source = _given.take(_bundle)
    return _Program(name, source, ast.parse(source, name))


def _refresh() -> None:
    """Replaces what the picture has kept of the time when the component was built."""
    _explaining.active = True
    random.seed()
    reload_environ = getattr(os, "reload_environ", None)
    if reload_environ is not None:
        reload_environ()
    # componentize-py's streams write through, and lose what the host does not take at once.
    sys.stdout = sys.__stdout__ = _text_stream(1, "strict")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _text_stream(2, "backslashreplace")  # type: ignore[misc]


def _text_stream(descriptor: int, errors: str) -> io.TextIOWrapper:
    file = io.BufferedWriter(io.FileIO(descriptor, "w", closefd=False))
    return io.TextIOWrapper(file, encoding="utf-8", errors=errors, line_buffering=True)


def _exit_status(end: SystemExit) -> bool:
    """Whether the program meant well. WASI has no other status than that; the command is told the number."""
    if end.code is None or end.code == 0:
        return True
    if isinstance(end.code, int):
        _given.tell_status(end.code)
    else:
        print(end.code, file=sys.stderr)
    return False


def _show(reason: BaseException) -> None:
    seen: set[int] = set()
    left: list[BaseException | None] = [reason]
    while left:
        error = left.pop()
        if error is not None and id(error) not in seen:
            seen.add(id(error))
            # Not by assignment: the bindings' errors are frozen.
            error.with_traceback(_without_ours(error))
            left += [error.__cause__, error.__context__]
    traceback.print_exception(reason)


def _without_ours(error: BaseException) -> types.TracebackType | None:
    """The traceback without the lines of this package, which stand for what asyncio and the interpreter do elsewhere."""
    entries: list[types.TracebackType] = []
    trace = error.__traceback__
    while trace is not None:
        entries.append(trace)
        trace = trace.tb_next
    ours = [entry.tb_frame.f_code.co_filename.startswith(_OURS) for entry in entries]
    if isinstance(error, _MISTAKES) and ours and ours[-1] and not all(ours):
        # The way to the program is of no interest in any case.
        first = ours.index(False)
        ours = [number < first for number in range(len(ours))]
    made: types.TracebackType | None = None
    for entry, is_ours in zip(reversed(entries), reversed(ours), strict=True):
        if not is_ours:
            made = types.TracebackType(made, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return made


def _call_exit_functions() -> None:
    """Calls what the program gave to atexit, and lets no finalizer drop what a call may still borrow."""
    registry = getattr(weakref.finalize, "_registry", {})
    for finalizer, info in list(registry.items()):
        if getattr(info.func, "__module__", None) == runtime.__name__:
            registry.pop(finalizer, None)
    atexit._run_exitfuncs()
