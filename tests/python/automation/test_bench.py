import contextlib
import io
import unittest
from pathlib import Path
from unittest import mock

from . import bench, interpreters, programs, requirements
from .errors import LeftOut


class Peer(unittest.TestCase):
    def prepare(self, missing):
        """Prepares the peer where `missing`, a function of `programs`, leaves TLS or packages out."""
        made, printed = [], io.StringIO()

        def compiled(program, tool=None):
            made.append(program)
            return Path("/made", f"{program.name}.cwasm")

        def leave_out(*_, **__):
            raise LeftOut("it is missing")

        functions = {"compiled": compiled, "streams": mock.Mock(), "tool_of": mock.Mock()}
        functions |= {missing: leave_out} if missing else {}
        stock = interpreters.Interpreter(Path("/bin/python"), "3.13.5")
        with (
            mock.patch.multiple(programs, **functions),
            mock.patch.object(interpreters, "stock", return_value=stock),
            mock.patch.object(bench, "output_of", return_value="/packages"),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            bench.prepare()
        return made, dict(line.split("=", 1) for line in printed.getvalue().splitlines())

    def test_it_has_the_packages_of_the_requirements(self):
        made, printed = self.prepare(None)
        self.assertEqual(
            [(program.packages, program.tls) for program in made], [(requirements.pinned(["uvicorn", "starlette"]), True)]
        )
        self.assertEqual(printed["PACKAGES"], "/packages")

    def test_without_tls_or_packages_it_has_neither(self):
        for missing in ("streams", "tool_of"):
            made, printed = self.prepare(missing)
            self.assertEqual([(program.packages, program.tls) for program in made], [((), False)])
            self.assertEqual(printed["COMPONENT"], "/made/bench-peer-plain.cwasm")
            self.assertNotIn("PACKAGES", printed)
