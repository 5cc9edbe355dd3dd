"""A program as a component: prepared while it is built, run as `__main__` when the component is.

componentize-py imports a module that `build` has written, which calls `prepare`, and then takes a picture of the whole
interpreter. The picture is what starts at run time: with all that was imported, but with neither files nor a past.
"""

from __future__ import annotations

import ast
import asyncio
import atexit
import builtins
import inspect
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

from . import _install, _modules, _rewrite, _running, _twins, install

# How long at most a program that has ended waits for what it wrote to leave.
_LINGER = 5.0

_code: types.CodeType
_name: str
_explaining = _modules.Explaining()


def prepare(source: str, name: str, places: Sequence[str], more: Sequence[str], with_tls: bool) -> None:
    """Gets everything ready for the program `source` in the file `name`.

    Raises SyntaxError for a program that is none, MissingModuleError for imports that cannot be had.
    """
    global _code, _name
    install()
    if with_tls:
        from . import tls

        tls.install()
    _install.replace(_running.replacements())
    here = os.path.dirname(__file__)
    _twins.install(_running.blocking(), tuple(place + os.sep for place in (here, "/python", "/bundled", "/world")))
    tree = ast.parse(source, name)
    _modules.import_all(tree, places, more)
    _code = compile(_rewrite.rewrite(tree), name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    _name = name
    _keep_source(name, source)
    for module in list(sys.modules.values()):
        if _modules._is_in(module, places):
            try:
                _keep_source(str(module.__file__), inspect.getsource(module))
            except (OSError, TypeError):
                pass
    sys.meta_path.append(_explaining)


async def run() -> None:
    """Runs the program. Raises Err if it ends by an exception, or by an exit status other than 0."""
    if not await _run():
        raise Err(None)


async def _main(names: dict[str, Any]) -> None:
    result = eval(_code, names)
    if result is not None:
        await result


async def _run() -> bool:
    _refresh()
    loop: Any = asyncio.get_running_loop()
    task = asyncio.current_task()
    if task is not None:
        # The program shall not find, and not cancel, what it runs in.
        asyncio._unregister_task(task)
    main = types.ModuleType("__main__")
    main.__file__ = _name
    main.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = main
    fine = True
    try:
        await _running.Outside(loop, _main(main.__dict__))
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
    """Whether the program meant well. WASI has no other status than that."""
    if end.code is None or end.code == 0:
        return True
    if not isinstance(end.code, int):
        print(end.code, file=sys.stderr)
    return False


def _show(reason: BaseException) -> None:
    trace = reason.__traceback__
    # The first lines are this module's, which is of no interest.
    while trace is not None and trace.tb_next is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    traceback.print_exception(type(reason), reason, trace)


def _call_exit_functions() -> None:
    """Calls what the program gave to atexit, and lets no finalizer drop what a call may still borrow."""
    registry = getattr(weakref.finalize, "_registry", {})
    for finalizer, info in list(registry.items()):
        if getattr(info.func, "__module__", None) == runtime.__name__:
            registry.pop(finalizer, None)
    atexit._run_exitfuncs()


def _keep_source(name: str, source: str) -> None:
    """Lets tracebacks show the lines."""
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
