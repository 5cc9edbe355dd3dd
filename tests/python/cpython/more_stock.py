"""Runs one module of tests by unittest, as stock CPython does: `more_stock.py MODULE`.

Each test is a line ``NAME ok``, ``NAME skipped`` or ``NAME failed``, as `more_main.py` prints them.
"""

import importlib
import io
import sys
import unittest


class Verdicts(unittest.TextTestResult):
    """Prints a line for each test, which the tests' own output cannot interrupt."""

    def startTest(self, test):
        super().startTest(test)
        self.before = len(self.failures) + len(self.errors) + len(self.unexpectedSuccesses)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._skipped = test

    def stopTest(self, test):
        super().stopTest(test)
        failed = len(self.failures) + len(self.errors) + len(self.unexpectedSuccesses) > self.before
        verdict = "failed" if failed else "skipped" if getattr(self, "_skipped", None) is test else "ok"
        print(f"{type(test).__name__}.{test._testMethodName} {verdict}", file=sys.__stdout__, flush=True)


module = importlib.import_module(sys.argv[1])
suite = unittest.defaultTestLoader.loadTestsFromModule(module)
unittest.TextTestRunner(stream=io.StringIO(), resultclass=Verdicts).run(suite)
