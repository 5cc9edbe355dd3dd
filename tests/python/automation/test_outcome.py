import unittest

from .outcome import PASSED, Outcome, Pair


class OutcomeTests(unittest.TestCase):
    def test_the_last_line_is_the_verdict(self):
        def of(text, well):
            return Outcome.of(text.splitlines(), well)

        def failed(text):
            return Outcome("failed", text)

        self.assertEqual(of("noise\nverdict: ok\nnoise at the end", True), PASSED)
        self.assertEqual(of("verdict: skipped: no ssl", True), Outcome("skipped", "no ssl"))
        self.assertEqual(of("Traceback\nverdict: failed", True), failed("Traceback\nverdict: failed"))
        self.assertEqual(of("verdict: ok\na trap", False), failed("verdict: ok\na trap"))
        self.assertEqual(of("", True), failed(""))

    def test_only_our_streams_are_blamed(self):
        skipped, failed = Outcome("skipped", "why"), Outcome("failed", "how")

        def blamed(stock, ours):
            return Pair("name", stock, ours).complaint() is not None

        self.assertTrue(blamed(PASSED, failed))
        self.assertTrue(blamed(PASSED, skipped))
        self.assertTrue(blamed(failed, skipped))
        self.assertFalse(blamed(failed, failed))
        self.assertFalse(blamed(failed, PASSED))
        self.assertFalse(blamed(skipped, skipped))
        self.assertFalse(blamed(skipped, failed))
        self.assertFalse(blamed(PASSED, PASSED))
