"""A program as a component: prepared during the build, and run as `__main__` at run time.

componentize-py imports a module that the command has written. It calls `prepare` or `prepare_interpreter`; then
componentize-py takes a snapshot of the whole interpreter. At run time the snapshot starts: with all imported modules,
but without open files.
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

from . import _bindings, _files, _given, _install, _loader, _modules, _rewrite, _running, _twins, install
from ._bundle import Bundle

# The longest time for which a program that has ended waits until its output was sent.
_LINGER = 5.0
# The amount of free memory that may be cleared after the imports. The memory may grow by as much, and wasmtime maps a large
# snapshot at the start, instead of copying it, only if less than half of it is empty.
_CLEARED = 8 << 20

_OURS = os.path.dirname(__file__) + os.sep
# If one of these comes from this package, its lines are shown: the fault may be here.
_MISTAKES = (AssertionError, AttributeError, LookupError, NameError)

# The bindings of WASI's exit.
_exit: Any = _bindings.cli("exit")
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
        """Runs it with these globals."""
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
    """Prepares the program in the file `name`.

    `places` are the folders of its modules, its own folder first; `package` is the folder of this package. `workshop`
    is the folder of the build: its file `program` contains the source, and notes of the build are written into its file
    `notes`. Raises SyntaxError for an invalid program, MissingModuleError for impossible imports, TooMuchError for
    files that exceed a bound.
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
    """Prepares the interpreter for programs that it receives at the start, with these modules imported.

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
    """Overwrites free memory with zeros: the snapshot contains the whole memory, and only zeros take no space in it."""
    gc.collect()
    for size in (1 << 20, 1 << 16, 1 << 13, 1 << 10):
        kept = [bytearray(size) for _ in range(_CLEARED // size)]
        del kept


def _take(places: Sequence[str], package: str, workshop: str) -> Bundle:
    """Collects everything that can be imported."""
    bundle = Bundle()
    bundle.take_library("/python")
    for place in places:
        bundle.take_own(place)
    if package not in places:
        bundle.take_own(package, [os.path.basename(os.path.dirname(__file__))])
    for place in sys.path:
        # componentize-py numbers the given folders; the folders of installed packages follow.
        if place.strip("/").isdigit() and place not in (*places, package, workshop):
            bundle.take_environment(place)
    return bundle


async def run() -> None:
    """Runs the program. Raises Err for the exit status 1, and ends the component for others than 0 and 1."""
    status = await _run()
    if status > 1:
        # It does not return.
        _exit.exit_with_code(status)
    if status:
        raise Err(None)


async def _run() -> int:
    _refresh()
    loop: Any = asyncio.get_running_loop()
    task = asyncio.current_task()
    if task is not None:
        # The program must not find, or cancel, the task in which it runs.
        asyncio._unregister_task(task)
    status = 0
    try:
        program = _program or _given_program()
        main = types.ModuleType("__main__")
        main.__file__ = program.name
        main.__dict__["__builtins__"] = builtins
        sys.modules["__main__"] = main
        await _running.outside(loop, program.run(main.__dict__))
    except SystemExit as end:
        status = _exit_status(end)
    except BaseException as reason:
        status = 130 if isinstance(reason, KeyboardInterrupt) else 1
        _show(reason)
    try:
        await _running.finish(loop)
        await loop.end_pipes(_LINGER)
        await loop.end_connections(_LINGER)
        _call_exit_functions()
    except BaseException as reason:
        status = status or 1
        _show(reason)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # As Python does.
            status = status or 120
    return status


def _given_program() -> _Program:
    """Returns the program that the command has passed to the interpreter. Raises SyntaxError for an invalid one."""
    name, source = _given.take(_bundle)
    try:
        return _Program(name, source, ast.parse(source, name))
    except SyntaxError as reason:
        # The command has checked the program by its own version of Python; this one may know other errors.
        if reason.text is None and reason.lineno:
            reason.text = (source.splitlines() + [""] * reason.lineno)[reason.lineno - 1]
        raise reason.with_traceback(None) from None


def _refresh() -> None:
    """Replaces state of the build that the snapshot contains."""
    _explaining.active = True
    random.seed()
    reload_environ = getattr(os, "reload_environ", None)
    if reload_environ is not None:
        reload_environ()
    # componentize-py's streams are unbuffered, and lose bytes that the host does not take at once.
    sys.stdout = sys.__stdout__ = _text_stream(1, "strict")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _text_stream(2, "backslashreplace")  # type: ignore[misc]


def _text_stream(descriptor: int, errors: str) -> io.TextIOWrapper:
    file = io.BufferedWriter(io.FileIO(descriptor, "w", closefd=False))
    return io.TextIOWrapper(file, encoding="utf-8", errors=errors, line_buffering=True)


def _exit_status(end: SystemExit) -> int:
    """Returns the exit status, as Python does."""
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    print(end.code, file=sys.stderr)
    return 1


def _show(reason: BaseException) -> None:
    seen: set[int] = set()
    left: list[BaseException | None] = [reason]
    while left:
        error = left.pop()
        if error is not None and id(error) not in seen:
            seen.add(id(error))
            # Do not assign `__traceback__`: the bindings' errors are frozen.
            error.with_traceback(_without_ours(error))
            left += [error.__cause__, error.__context__]
    traceback.print_exception(reason)


def _without_ours(error: BaseException) -> types.TracebackType | None:
    """Returns the traceback without the lines of this package, which correspond to asyncio and the interpreter."""
    entries: list[types.TracebackType] = []
    trace = error.__traceback__
    while trace is not None:
        entries.append(trace)
        trace = trace.tb_next
    ours = [entry.tb_frame.f_code.co_filename.startswith(_OURS) for entry in entries]
    if isinstance(error, _MISTAKES) and ours and ours[-1] and not all(ours):
        # The frames up to the program are never of interest.
        first = ours.index(False)
        ours = [number < first for number in range(len(ours))]
    made: types.TracebackType | None = None
    for entry, is_ours in zip(reversed(entries), reversed(ours), strict=True):
        if not is_ours:
            made = types.TracebackType(made, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return made


def _call_exit_functions() -> None:
    """Calls the functions registered with atexit, and lets no finalizer drop a resource that a call may borrow."""
    registry = getattr(weakref.finalize, "_registry", {})
    for finalizer, info in list(registry.items()):
        if getattr(info.func, "__module__", None) == runtime.__name__:
            registry.pop(finalizer, None)
    atexit._run_exitfuncs()
