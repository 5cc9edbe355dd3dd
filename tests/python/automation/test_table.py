import unittest

from .outcome import PASSED, Outcome, Pair
from .table import markdown


class TableTests(unittest.TestCase):
    def test_classes_are_counted_and_tests_that_did_not_pass_are_named(self):
        skipped = Outcome("skipped", "No ssl module")
        pairs = [
            Pair("a.A.one", PASSED, PASSED),
            Pair("a.A.two", skipped, skipped),
            Pair("b.B.one", Outcome("failed", "why"), PASSED),
        ]
        rows = markdown("CPython 3", pairs).splitlines()
        for row in [
            "| `a.A` | 2 | 1 | 1 | 1 |",
            "| `b.B` | 1 | 0 | 1 | 0 |",
            "| all | 3 | 1 | 2 | 1 |",
            "| `a.A.two` | skipped: No ssl module | skipped: No ssl module |",
            "| `b.B.one` | failed | passed |",
        ]:
            self.assertIn(row, rows)
        self.assertFalse(any("a.A.one" in row for row in rows))
