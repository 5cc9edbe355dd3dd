import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from . import environment, requirements
from .errors import Failure


class Versions(unittest.TestCase):
    def test_a_package_without_a_version(self):
        self.assertRegex(requirements.pinned(["uvicorn"])[0], r"^uvicorn==\d")
        with self.assertRaisesRegex(Failure, "no version of neither, nor"):
            requirements.pinned(["neither", "uvicorn", "nor"])

    def test_an_environment_has_the_constrained_versions(self):
        with tempfile.TemporaryDirectory() as folder:
            constraints, commands = Path(folder, "constraints"), []

            def run(command, what):
                commands.append([str(word) for word in command])
                Path(folder, "name").mkdir(exist_ok=True)

            def make():
                commands.clear()
                environment.python("name", ["one==1"], constraints)
                return commands[-1][-2:] if commands else None

            constraints.write_text("two==2\n")
            with (
                mock.patch.object(environment, "PLACE", Path(folder)),
                mock.patch.object(environment, "run", run),
                mock.patch.object(environment, "_has", return_value=True),
                contextlib.redirect_stdout(io.StringIO()),
            ):
                self.assertEqual([make(), make()], [["-c", str(constraints)], None])
                constraints.write_text("two==3\n")
                self.assertEqual(make(), ["-c", str(constraints)])
