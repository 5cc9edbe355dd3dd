"""Runs one module of CPython's `test_asyncio` inside a component: `more_main.py MODULE FOLDER`.

The folder has the same path inside and outside; the tests put their files and Unix sockets there. Each test is a line ``NAME ok``, ``NAME skipped: why`` or ``NAME failed: why``.
"""

import asyncio
import importlib
import os
import sys

import driver
import rewrite
import runner

# A test that hangs has failed.
runner.PATIENCE = 20
runner.OWN_TASKS = True


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
    await runner.run_module(module)


asyncio.run(main(*sys.argv[1:]))
