"""Plain functions that block, compiled again as coroutines.

`uvicorn.run(app)` or `def main(): asyncio.run(serve())` block somewhere inside. At the top level of a program a call of
such a function is awaited instead: its source is compiled once more, as a coroutine function, in which again every call
is checked before it is made. So a function that is called through plain Python functions may block, at any depth of a
library. A function that is called through C, a generator or a comprehension cannot: there `asyncio.run` raises, with
the reason.

Names in its code show whether a function may block. They do not show what a library calls that got a function, as the
commands of click do. Therefore every function of a package may block from the moment at which one of them gets a
function that does, or an object with such a function.
"""

from __future__ import annotations

import ast
import builtins
import collections
import functools
import inspect
import linecache
import types
from collections.abc import Callable, Generator, Iterator
from typing import Any

from . import _reachable, _rewrite

# A function that calls one of these may block.
_NAMES = frozenset({"run", "run_until_complete", "run_forever"})
_CALL = "__call__"
_NO_PLAIN_FUNCTION = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
# The number of plain functions that may be between a function and the blocking one, if their names do not show it.
_DEPTH = 4
# The number of calls of a function whose arguments are searched for a blocking function.
_MOST_LOOKS = 8

# The blocking functions, each with the function to await instead.
_blocking: dict[Any, Callable[..., Any]] = {}
_twins: dict[tuple[types.CodeType, str], types.CodeType | None] = {}
_verdicts: dict[tuple[types.CodeType, str, type | None], bool] = {}
_left_alone: tuple[str, ...] = ()
# The packages that have a function to call which may block; functions of programs instead of packages.
_callers: set[Any] = set()
_looks: collections.Counter[types.CodeType] = collections.Counter()


def install(blocking: dict[Any, Callable[..., Any]], left_alone: tuple[str, ...]) -> None:
    """Prepares the execution of rewritten code.

    `blocking` maps each blocking function to the one that is awaited instead. Functions in the folders `left_alone` are
    assumed not to block otherwise.
    """
    global _left_alone
    _blocking.update(blocking)
    _left_alone = left_alone
    setattr(builtins, _rewrite.SELECT, select)
    setattr(builtins, _rewrite.DONE, _done)


def select(function: Any, *given: Any) -> Any:
    """Returns `function`, or, if it would block, a callable that returns an awaitable.

    `given` are arguments of the call.
    """
    kind = type(function)
    if kind is types.FunctionType:
        return _instead(function, function, (), given)
    if kind is types.MethodType:
        return _instead(function, function.__func__, (function.__self__,), given)
    if kind is functools.partial:
        inner = select(function.func, *function.args, *function.keywords.values(), *given)
        return function if inner is function.func else functools.partial(inner, *function.args, **function.keywords)
    call = getattr(kind, _CALL, None)
    if type(call) is types.FunctionType:
        return _instead(function, call, (function,), given)
    return function


def _instead(whole: Any, function: Any, first: tuple[Any, ...], given: tuple[Any, ...]) -> Any:
    awaited = _blocking.get(function)
    if awaited is None:
        if type(function) is not types.FunctionType:
            return whole
        owner = None
        if first:
            owner = first[0] if isinstance(first[0], type) else type(first[0])
        if not _may_block(function, owner, _DEPTH) and not _may_call(function, first + given):
            return whole
        twin = _twin(function)
        if twin is None:
            return whole
        awaited = twin
    return functools.partial(_Waiting, awaited, *first)


class _Waiting:
    """A call that is awaited."""

    __slots__ = ("coroutine",)

    def __init__(self, function: Callable[..., Any], /, *args: Any, **kwds: Any) -> None:
        self.coroutine = function(*args, **kwds)


class _Done:
    """A result that is available."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Generator[Any, Any, Any]:
        return self.value
        yield


def _done(result: Any) -> Any:
    return result.coroutine if type(result) is _Waiting else _Done(result)


def _may_block(function: types.FunctionType, owner: type | None, depth: int) -> bool:
    """Returns whether a function's code may call a blocking function; `owner` is the class whose method it is."""
    code = function.__code__
    # The code objects of two files can be equal.
    key = (code, code.co_filename, owner)
    found = _verdicts.get(key)
    if found is None:
        if code.co_flags & _NO_PLAIN_FUNCTION or code.co_filename.startswith(_left_alone):
            found = False
        else:
            # For functions that call each other recursively.
            _verdicts[key] = False
            found = not _NAMES.isdisjoint(_names(code)) or any(
                _is_blocking(value, holder, depth) for value, holder in _called(function, owner)
            )
        if found or depth == _DEPTH:
            _verdicts[key] = found
        else:
            _verdicts.pop(key, None)
    return found


def _may_call(function: types.FunctionType, given: tuple[Any, ...]) -> bool:
    """Returns whether a function may call one that blocks, because its package has one, or gets it now."""
    code = function.__code__
    if code.co_flags & _NO_PLAIN_FUNCTION or code.co_filename.startswith(_left_alone):
        return False
    package, dot, _ = function.__module__.partition(".") if function.__module__ else ("", "", "")
    caller = package if dot else code
    if caller in _callers:
        return True
    if not given or _looks[code] >= _MOST_LOOKS:
        return False
    _looks[code] += 1
    found = any(_is_blocking(inner, owner, _DEPTH) for inner, owner in _reachable.functions(given))
    if found:
        _callers.add(caller)
    return found


def _called(function: types.FunctionType, owner: type | None) -> Iterator[tuple[Any, type | None]]:
    """Yields possible values of a function's names: globals, attributes of modules and classes, methods of `owner`."""
    names = _names(function.__code__)
    holders: list[Any] = [] if owner is None else [owner]
    for name in names:
        value = function.__globals__.get(name)
        if value is not None:
            yield value, None
            if isinstance(value, (types.ModuleType, type)):
                holders.append(value)
            if isinstance(value, type):
                # For calls of its instances.
                yield inspect.getattr_static(value, _CALL, None), value
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents, None
        except ValueError:
            pass
    for holder in holders:
        for name in names:
            value = inspect.getattr_static(holder, name, None)
            yield getattr(value, "__func__", value), holder if isinstance(holder, type) else None


def _is_blocking(value: Any, owner: type | None, depth: int) -> bool:
    if type(value) is not types.FunctionType:
        return False
    return value in _blocking or (depth > 0 and _may_block(value, owner, depth - 1))


@functools.lru_cache(maxsize=4096)
def _names(code: types.CodeType) -> tuple[str, ...]:
    """Returns the names of attributes and globals in a function's code, and in functions inside it."""
    inner = (constant for constant in code.co_consts if isinstance(constant, types.CodeType))
    return tuple(dict.fromkeys([*code.co_names, *(name for one in inner for name in _names(one))]))


def _twin(function: types.FunctionType) -> types.FunctionType | None:
    """Returns the function as a coroutine function; None if its source is not available."""
    code = function.__code__
    key = (code, code.co_filename)
    if key not in _twins:
        _twins[key] = _compile(code)
    twin = _twins[key]
    if twin is None:
        return None
    cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
    if any(name not in cells for name in twin.co_freevars):
        return None
    closure = tuple(cells[name] for name in twin.co_freevars)
    made = types.FunctionType(twin, function.__globals__, function.__name__, function.__defaults__, closure)
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def _compile(code: types.CodeType) -> types.CodeType | None:
    source = "".join(linecache.getlines(code.co_filename))
    if not source:
        source = _source_by_loader(code)
    try:
        tree = ast.parse(source, code.co_filename)
    except (SyntaxError, ValueError):
        return None
    module = _rewrite.as_coroutine(tree, code.co_name, code.co_firstlineno, code.co_freevars)
    if module is None:
        return None
    # Effects of `from __future__` apply here too.
    flags = code.co_flags & _future_flags()
    left: list[types.CodeType] = [compile(module, code.co_filename, "exec", flags=flags, dont_inherit=True)]
    while left:
        found = left.pop()
        if found.co_name == code.co_name and found.co_flags & inspect.CO_COROUTINE:
            return found
        left.extend(constant for constant in found.co_consts if isinstance(constant, types.CodeType))
    return None


def _source_by_loader(code: types.CodeType) -> str:
    import sys

    for module in list(sys.modules.values()):
        if getattr(module, "__file__", None) == code.co_filename:
            try:
                return str(module.__loader__.get_source(module.__name__) or "")  # type: ignore[union-attr]
            except (AttributeError, ImportError, OSError):
                return ""
    return ""


def _future_flags() -> int:
    import __future__

    return functools.reduce(
        lambda flags, name: flags | getattr(__future__, name).compiler_flag, __future__.all_feature_names, 0
    )
