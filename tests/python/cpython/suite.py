"""The tests themselves, rewritten while they are imported."""

import unittest

import rewrite

rewrite.install()

# In this order: earlier imports would not be rewritten.
from test.test_asyncio import test_server, test_streams  # noqa: E402

MODULES = {"test_streams": test_streams, "test_server": test_server}


def cases() -> dict[str, unittest.TestCase]:
    """Returns all tests by their names, in the order of their files."""
    found: dict[str, unittest.TestCase] = {}
    for name, module in MODULES.items():
        for suite in unittest.defaultTestLoader.loadTestsFromModule(module):
            for case in suite:
                found[f"{name}.{type(case).__name__}.{case._testMethodName}"] = case
    return found
