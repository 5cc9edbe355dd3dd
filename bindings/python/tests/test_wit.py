"""The WIT of programs."""

import re
import tempfile
import unittest
from pathlib import Path

from asyncio_streams import _wit


def functions(text):
    """Returns the names of all functions in an interface's text."""
    return re.findall(r"^ +([a-z0-9-]+): (?:async )?func|^ +(constructor)\(", text, re.MULTILINE)


class Wit(unittest.TestCase):
    def test_without_tls_only_its_items_are_left_out(self):
        text = (_wit.find() / "streams.wit").read_text()
        trimmed = _wit.without_tls(text)
        left_out = [a or b for a, b in functions(text)]
        for a, b in functions(trimmed):
            left_out.remove(a or b)
        self.assertEqual(sorted(left_out), ["set-tls", "set-tls", "start-tls", "start-tls-server", "tls-info"])
        self.assertNotIn("use tls", trimmed)
        self.assertNotRegex(trimmed, r"borrow<(client|server)-config>")
        self.assertEqual(trimmed.count("{"), trimmed.count("}"))
        # No part of a comment remains without its item.
        self.assertNotRegex(trimmed, r"///[^\n]*\n\s*\n\s*///(?! asyncio's streams)")

    def test_the_world_imports_tls_only_if_asked(self):
        for with_tls in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                target = Path(folder) / "wit"
                _wit.write(target, _wit.find(), with_tls=with_tls)
                world = (target / "world.wit").read_text()
                # Every streams component exports `unix`, and the one without Unix sockets refuses.
                for name in ("streams", "numbers", "unix"):
                    self.assertIn(f"import asyncio:streams/{name}@0.1.0;", world)
                    self.assertTrue((target / "deps" / "asyncio-streams" / f"{name}.wit").exists())
                self.assertEqual("tls@0.1.0" in world, with_tls)
                self.assertEqual((target / "deps" / "asyncio-streams" / "tls.wit").exists(), with_tls)
                self.assertTrue((target / "deps" / "clocks.wit").exists())


if __name__ == "__main__":
    unittest.main()
