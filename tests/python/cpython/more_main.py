"""Runs one module of CPython's `test_asyncio` inside a component: `more_main.py MODULE FOLDER`.

The folder has the same path inside and outside; the tests put their files and Unix sockets there. Each test is a line ``NAME ok``, ``NAME skipped: why`` or ``NAME failed: why``.
"""

import asyncio
import importlib
import io
import contextlib
import os
import sys
import unittest

import driver
import rewrite
import runner

# A test that hangs has failed.
runner.PATIENCE = 20


async def main(name, folder):
    os.chdir(folder)
    rewrite.unix_sockets = True
    rewrite.REWRITTEN.add(f"test.test_asyncio.{name}")
    rewrite.install()
    # First: a module that uses functions of these is rewritten by their names.
    for shared in ("utils", "functional"):
        importlib.import_module(f"test.test_asyncio.{shared}")
    module = importlib.import_module(f"test.test_asyncio.{name}")
    driver.use(asyncio.get_running_loop())
    for suite in unittest.defaultTestLoader.loadTestsFromModule(module):
        cases = list(suite)
        if cases and not getattr(type(cases[0]), "__unittest_skip__", False):
            type(cases[0]).setUpClass()
        for case in cases:
            with contextlib.redirect_stderr(io.StringIO()):
                verdict, reason = await one(case)
            lines = (reason or "").strip().splitlines() or [""]
            text = f": {lines[-1]}" if verdict != "ok" else ""
            print(f"{type(case).__name__}.{case._testMethodName} {verdict}{text}", flush=True)


async def one(case):
    try:
        return await runner.run(case)
    except Exception as error:
        return "failed", f"{type(error).__name__}: {error}"


asyncio.run(main(*sys.argv[1:]))
