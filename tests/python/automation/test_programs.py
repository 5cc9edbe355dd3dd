import tempfile
import unittest
from pathlib import Path

from . import demo, interpreters
from .paths import ROOT
from .programs import Program, renew


class ProgramTests(unittest.TestCase):
    def test_a_file_is_made_again_when_a_source_changes(self):
        with tempfile.TemporaryDirectory() as folder:
            source, file = Path(folder, "source"), Path(folder, "made")

            def made():
                return renew(file, [source], lambda: file.write_text("made") and None)

            source.write_text("one")
            self.assertEqual([made(), made()], [True, False])
            source.write_text("two")
            self.assertTrue(made())
            file.unlink()
            self.assertTrue(made())

    def test_components_are_named_as_commands_are(self):
        self.assertEqual(Program(Path("examples/python/echo_client.py")).name, "echo-client")

    def test_the_readme_has_the_lines_of_the_demo(self):
        readme = (ROOT / "README.md").read_text(encoding="utf-8").replace("\\\n    ", "")
        for _, line in demo.lines():
            self.assertIn(line, readme)

    def test_versions_are_compared_by_number(self):
        numbers = interpreters.numbers
        self.assertGreater(numbers("3.13.0"), numbers("3.9.18"))
        self.assertGreater(numbers("3.13.10"), numbers("3.13.9"))
        self.assertEqual(numbers("3.15.0a1"), [3, 15])
