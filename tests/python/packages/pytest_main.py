"""Runs one module of pytest's tests, by stock CPython or inside a component: `pytest_main.py MODULE [OPTION=VALUE...]`.

pytest itself starts a loop for each test, far below its own functions, which a component cannot enter again. So this
runner replaces pytest's session; the fixtures, marks and assertions are pytest's own. The options are those that the
conftest files define. Each test is a line ``NAME ok``, ``NAME skipped: why`` or ``NAME failed: why``.
"""

import asyncio
import importlib
import inspect
import io
import itertools
import sys
import types
from contextlib import redirect_stderr, redirect_stdout

import pytest
from pytest_fixtures import Fixtures

# A test that hangs has failed. The tests' own limit, of pytest-timeout, is the same.
PATIENCE = 30
# What these marks need is not there: a cluster, modules of the server, certificates, an account.
LEFT_OUT = {"onlycluster", "redismod", "ssl", "cp_integration", "multidb_integration"}


class Config:
    """pytest's `Config`: the options of the conftest files."""

    def __init__(self, given):
        self.options = dict(given)
        self.option = self

    def addoption(self, name, default=None, **_):
        self.options.setdefault(name, default)

    def getoption(self, name, default=None):
        return self.options.get(name, default)

    def __getattr__(self, name):
        try:
            return self.options["--" + name.replace("_", "-")]
        except KeyError:
            raise AttributeError(name) from None


def conftests(name, config):
    """Imports the conftest files of all packages around a module, and calls their hooks."""
    packages = list(itertools.accumulate(name.split(".")[:-1], "{}.{}".format))
    found = []
    for package in packages:
        try:
            found.append(importlib.import_module(f"{package}.conftest"))
        except ModuleNotFoundError as error:
            if error.name != f"{package}.conftest":
                raise
    session = types.SimpleNamespace(config=config)
    for hook, argument in (("pytest_addoption", config), ("pytest_configure", config), ("pytest_sessionstart", session)):
        for module in found:
            getattr(module, hook, lambda _: None)(argument)
    return found


def marks(*objects):
    """The marks of a function, its class and its module, the function's own first."""
    found = []
    for thing in objects:
        own = getattr(thing, "pytestmark", [])
        found += [mark if isinstance(mark, pytest.Mark) else mark.mark for mark in (own if isinstance(own, list) else [own])]
    return found


def reason_to_skip(found, namespace):
    """Why a test with these marks is left out; None if it is not."""
    for mark in found:
        if mark.name in LEFT_OUT:
            return f"its mark {mark.name} asks for what is not there"
        if mark.name in ("skip", "xfail"):
            return str(mark.kwargs.get("reason", mark.name))
        for condition in mark.args if mark.name == "skipif" else ():
            if eval(condition, dict(namespace)) if isinstance(condition, str) else condition:
                return str(mark.kwargs.get("reason", condition))
    return None


def parametrized(found):
    """The combinations of a test's arguments: each the names' values, the indirect names, further marks, and an id."""
    axes = []
    for mark in found:
        if mark.name != "parametrize":
            continue
        names, values, *_ = (*mark.args, mark.kwargs.get("argvalues"))
        names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
        indirect = mark.kwargs.get("indirect", False)
        indirect = set(names) if indirect is True else set(indirect or ())
        axes.append([(names, indirect, *unpacked(value, len(names)), str(at)) for at, value in enumerate(values)])
    for choice in itertools.product(*axes):
        arguments, indirect, more, ids = {}, set(), [], []
        for names, those, values, extra, at in choice:
            arguments.update(zip(names, values, strict=True))
            indirect |= those
            more += extra
            ids.append(at)
        yield arguments, indirect, more, ids


def unpacked(value, count):
    """The values of one parameter set, and its marks."""
    extra = []
    if isinstance(value, type(pytest.param())):
        value, extra = value.values, [getattr(mark, "mark", mark) for mark in value.marks]
        return list(value), extra
    return ([value] if count == 1 else list(value)), extra


def functions(module):
    """The tests of a module: each its class, if it has one, and its name."""
    for name, thing in list(vars(module).items()):
        if inspect.isclass(thing) and name.startswith("Test"):
            for method in dir(thing):
                if method.startswith("test") and callable(getattr(thing, method)):
                    yield thing, method
        elif inspect.isfunction(thing) and name.startswith("test"):
            yield None, name


async def run(module, holder, name, fixtures, config):
    """Runs one test in all combinations; prints their verdicts."""
    function = getattr(holder or module, name)
    title = f"{holder.__name__ if holder else module.__name__.rpartition('.')[2]}.{name}"
    own = marks(function, *(holder.__mro__[:-1] if holder else ()), module)
    namespace = dict(vars(module), config=config)
    for arguments, indirect, more, ids in parametrized(own):
        direct = {key: value for key, value in arguments.items() if key not in indirect}
        chosen = {key: value for key, value in arguments.items() if key in indirect}
        for params, at in fixtures.choices(function, holder, direct, chosen):
            identity = f"[{'.'.join(ids + at)}]" if ids or at else ""
            extra = own + more + [mark for _, those in params.values() for mark in those]
            verdict = reason_to_skip(extra, namespace)
            if verdict is not None:
                verdict = f"skipped: {verdict}"
            else:
                values = {key: value for key, (value, _) in params.items()}
                verdict = await once(holder, name, module, fixtures, direct, values)
            print(f"{title}{identity} {verdict}", flush=True)


async def once(holder, name, module, fixtures, direct, params):
    """The verdict of one test with one combination of arguments."""
    instance = holder() if holder else None
    function = getattr(instance if holder else module, name)
    text = io.StringIO()
    try:
        with redirect_stdout(text), redirect_stderr(text):
            async with asyncio.timeout(PATIENCE), fixtures.scope(function, instance, direct, params) as values:
                result = function(**values)
                if inspect.isawaitable(result):
                    await result
    except pytest.skip.Exception as reason:
        return f"skipped: {reason}"
    except (Exception, pytest.fail.Exception, asyncio.CancelledError) as error:
        lines = f"{type(error).__name__}: {error}".split("\n")
        return f"failed: {lines[0]}"
    return "ok"


async def main(name, *given):
    config = Config(option.split("=", 1) for option in given)
    around = conftests(name, config)
    module = importlib.import_module(name)
    fixtures = Fixtures(config, [*around, module])
    for holder, function in functions(module):
        await run(module, holder, function, fixtures, config)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
