"""pytest's fixtures, made and ended in a running loop: for `pytest_main.py`."""

import contextlib
import inspect
import itertools
import tempfile
import types
from pathlib import Path

import pytest


class Request:
    """pytest's `request`: the configuration, the parameter of a fixture, and functions for the end."""

    def __init__(self, config, stack, holder):
        self.config, self.session, self.cls = config, types.SimpleNamespace(config=config), holder
        self.addfinalizer = stack.callback


class Fixtures:
    """The fixtures of the conftest files and of a module; the later ones hide the earlier ones."""

    def __init__(self, config, modules):
        self.config = config
        self.levels = [self._of(vars(module)) for module in modules]

    @staticmethod
    def _of(namespace):
        found = {}
        for name, thing in namespace.items():
            if hasattr(thing, "_fixture_function_marker"):
                found[thing._fixture_function_marker.name or name] = thing
        return found

    def _levels(self, holder):
        classes = [self._of(vars(one)) for one in reversed(holder.__mro__)] if holder else []
        return self.levels + [level for level in classes if level]

    def _find(self, name, levels, below):
        """The fixture of this name, and its level; `below` is the level of the fixture that it would hide."""
        for at in reversed(range(below)):
            if name in levels[at]:
                return levels[at][name], at
        return None, 0

    @staticmethod
    def _autouse(levels):
        return [name for level in levels for name, made in level.items() if made._fixture_function_marker.autouse]

    @staticmethod
    def _arguments(function):
        parameters = inspect.signature(function).parameters.values()
        plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        return [one.name for one in parameters if one.kind in plain and one.default is one.empty and one.name != "self"]

    def choices(self, function, holder, direct, chosen):
        """The combinations of parameters of the fixtures that a test needs: each a table, NAME to value and marks, and
        an id."""
        levels = self._levels(holder)
        pending = [*self._arguments(function), *self._autouse(levels), *self._used(function, holder)]
        seen, axes = set(direct), []
        while pending:
            name = pending.pop(0)
            found, _ = self._find(name, levels, len(levels))
            if name in seen or found is None:
                continue
            seen.add(name)
            pending += self._arguments(found._get_wrapped_function())
            params = found._fixture_function_marker.params
            if name in chosen:
                axes.append([(name, chosen[name], (), "")])
            elif params is not None:
                axes.append([(name, *self._plain(value), str(at)) for at, value in enumerate(params)])
        for choice in itertools.product(*axes):
            table = {name: (value, extra) for name, value, extra, _ in choice}
            yield table, [at for *_, at in choice if at]

    @staticmethod
    def _plain(value):
        if isinstance(value, type(pytest.param())):
            return value.values[0], [getattr(mark, "mark", mark) for mark in value.marks]
        return value, ()

    @staticmethod
    def _used(function, holder):
        own = [*getattr(function, "pytestmark", []), *getattr(holder, "pytestmark", [])]
        return [name for mark in own if mark.name == "usefixtures" for name in mark.args]

    @contextlib.asynccontextmanager
    async def scope(self, function, instance, direct, params):
        """Makes the fixtures of one test; returns its arguments. They end in reverse order."""
        holder = type(instance) if instance else None
        levels, made = self._levels(holder), {}
        async with contextlib.AsyncExitStack() as stack:

            async def value(name, below):
                if name in direct:
                    return direct[name]
                found, at = self._find(name, levels, below)
                if found is None:
                    return self._built_in(name, stack, holder)
                if (name, at) not in made:
                    made[name, at] = await make(name, found, at)
                return made[name, at]

            async def make(name, found, at):
                code = found._get_wrapped_function()
                keywords = {}
                for wanted in self._arguments(code):
                    keywords[wanted] = await value(wanted, at if wanted == name else len(levels))
                if "request" in keywords and name in params:
                    keywords["request"].param = params[name]
                bound = code.__get__(instance) if "self" in inspect.signature(code).parameters else code
                if inspect.isasyncgenfunction(code):
                    return await stack.enter_async_context(contextlib.asynccontextmanager(bound)(**keywords))
                if inspect.isgeneratorfunction(code):
                    return stack.enter_context(contextlib.contextmanager(bound)(**keywords))
                result = bound(**keywords)
                return await result if inspect.isawaitable(result) else result

            for name in [*self._autouse(levels), *self._used(function, holder)]:
                await value(name, len(levels))
            for step in ("setup_method", "setup"):
                if hasattr(instance, step):
                    self._call(getattr(instance, step), function)
            for step in ("teardown_method", "teardown"):
                if hasattr(instance, step):
                    stack.callback(self._call, getattr(instance, step), function)
            yield {name: await value(name, len(levels)) for name in self._arguments(function)}

    @staticmethod
    def _call(step, function):
        step(*([function] if inspect.signature(step).parameters else []))

    def _built_in(self, name, stack, holder):
        if name == "request":
            return Request(self.config, stack, holder)
        if name == "monkeypatch":
            return stack.enter_context(pytest.MonkeyPatch.context())
        if name in ("tmpdir", "tmp_path"):
            return Path(stack.enter_context(tempfile.TemporaryDirectory()))
        raise LookupError(f"no fixture {name!r}")
