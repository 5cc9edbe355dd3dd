"""The functions that a call may reach through its arguments: they themselves, their attributes and their items."""

from __future__ import annotations

import collections
import functools
import itertools
import types
from collections.abc import Iterator
from typing import Any

# The number of values at which the search ends. Those with the shortest way come first.
_MOST = 300


def functions(given: tuple[Any, ...]) -> Iterator[tuple[types.FunctionType, type | None]]:
    """Yields the plain functions among these values and inside them, and the class of which each is a bound method."""
    left: collections.deque[Any] = collections.deque(given)
    seen: set[int] = set()
    while left and len(seen) < _MOST:
        value = left.popleft()
        if id(value) in seen:
            continue
        seen.add(id(value))
        kind = type(value)
        if kind is types.FunctionType:
            yield value, None
        elif kind is types.MethodType:
            if type(value.__func__) is types.FunctionType:
                yield value.__func__, type(value.__self__)
        elif kind in (staticmethod, classmethod):
            left.append(value.__func__)
        elif kind is functools.partial:
            left.extend((value.func, *value.args))
        elif not issubclass(kind, types.ModuleType):
            left.extend(itertools.islice(_inside(value, kind), _MOST))


def _inside(value: Any, kind: type) -> Iterator[Any]:
    """Yields the items and the attributes of an object, and the tables in its class."""
    for collection in (list, tuple, set):
        if issubclass(kind, collection):
            yield from collection.__iter__(value)
    if issubclass(kind, dict):
        yield from dict.values(value)
    try:
        attributes: Any = value.__dict__
    except Exception:
        # It has none, or it is a proxy of an object that is missing now.
        return
    if type(attributes) in (dict, types.MappingProxyType):
        yield from attributes.values()
    yield from (held for held in vars(kind).values() if type(held) in (list, dict))
