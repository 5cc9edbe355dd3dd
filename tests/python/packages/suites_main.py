"""Runs one module of a package's own tests inside a component: `suites_main.py MODULE`.

Each test is a line ``NAME ok``, ``NAME skipped: why`` or ``NAME failed: why``.
"""

import asyncio
import importlib
import sys

import driver
import runner

# A test that hangs has failed.
runner.PATIENCE = 20


async def main(name):
    driver.use(asyncio.get_running_loop())
    await runner.run_module(importlib.import_module(name))


asyncio.run(main(sys.argv[1]))
