"""Runs cases of unittest from a coroutine."""

import asyncio
import contextlib
import contextvars
import functools
import inspect
import io
import types
import unittest

import driver

# Far more than any test takes; a separate process ends those that never wait.
PATIENCE = 60
# Whether each part of an async test has a task of its own, as by unittest. It costs turns of the loop, which some tests
# count.
OWN_TASKS = False


async def run_module(module: types.ModuleType) -> None:
    """Runs the tests of a module one after the other; prints a line for each, as `more_stock.py` does."""
    for suite in unittest.defaultTestLoader.loadTestsFromModule(module):
        cases = list(suite)
        if cases and not getattr(type(cases[0]), "__unittest_skip__", False):
            type(cases[0]).setUpClass()
        for case in cases:
            with contextlib.redirect_stderr(io.StringIO()):
                try:
                    verdict, reason = await run(case)
                except Exception as error:
                    verdict, reason = "failed", f"{type(error).__name__}: {error}"
            lines = reason.strip().splitlines() or [""]
            text = f": {lines[-1]}" if verdict != "ok" else ""
            print(f"{type(case).__name__}.{case._testMethodName} {verdict}{text}", flush=True)


async def run(case: unittest.TestCase) -> tuple[str, str]:
    """Runs one test: returns ``ok``, ``skipped`` or ``failed``, and the reason."""
    result = unittest.TestResult()
    reason = _skip(case)
    if reason is not None:
        return "skipped", reason
    outcome = unittest.case._Outcome(result)
    case._outcome = outcome
    try:
        async with asyncio.timeout(PATIENCE):
            await _parts(case, outcome)
    except TimeoutError:
        return "failed", f"not done after {PATIENCE} s"
    finally:
        case._outcome = None
        driver.the_loop().set_exception_handler(None)
    for kind in (result.errors, result.failures):
        for _, trace in kind:
            return "failed", trace
    if result.skipped:
        return "skipped", result.skipped[0][1]
    if result.unexpectedSuccesses:
        return "failed", "an unexpected success"
    return "ok", ""


def _skip(case: unittest.TestCase) -> str | None:
    method = getattr(case, case._testMethodName)
    for of in (type(case), method):
        if getattr(of, "__unittest_skip__", False):
            return getattr(of, "__unittest_skip_why__", "")
    return None


async def _parts(case: unittest.TestCase, outcome) -> None:
    is_async = isinstance(case, unittest.IsolatedAsyncioTestCase)
    context = contextvars.copy_context()
    call = functools.partial(_in_the_loop, context) if is_async else _outside_the_loop
    before = [case.setUp, case.asyncSetUp] if is_async else [case.setUp]
    after = [case.asyncTearDown, case.tearDown] if is_async else [case.tearDown]
    with outcome.testPartExecutor(case):
        for part in before:
            await call(part)
    if outcome.success:
        with outcome.testPartExecutor(case, subTest=False):
            await call(getattr(case, case._testMethodName))
        with outcome.testPartExecutor(case):
            for part in after:
                await call(part)
    while case._cleanups:
        function, arguments, keywords = case._cleanups.pop()
        with outcome.testPartExecutor(case):
            await _in_the_loop(context, function, *arguments, **keywords)


async def _in_the_loop(context: contextvars.Context, function, *arguments, **keywords) -> None:
    """As in IsolatedAsyncioTestCase: everything is called while the loop runs."""

    async def called() -> None:
        result = function(*arguments, **keywords)
        if inspect.isawaitable(result):
            await result

    # A part may leave its task cancelled, which must not reach the next one.
    await (asyncio.create_task(called(), context=context) if OWN_TASKS else called())


async def _outside_the_loop(function) -> None:
    """As in plain cases: the loop runs only while the test waits."""

    async def called() -> None:
        result = function()
        if inspect.iscoroutine(result):
            await result

    await driver.drive(called())
