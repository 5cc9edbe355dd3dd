import argparse
import contextlib
import importlib.util
import io
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from . import packages, programs, requirements
from .errors import LeftOut
from .paths import ROOT

FOLDER = ROOT / "tests" / "python" / "packages"


def runner():
    """The module of `run.py`."""
    spec = importlib.util.spec_from_file_location("packages_run", FOLDER / "run.py")
    module = importlib.util.module_from_spec(spec)
    with mock.patch.object(sys, "path", [str(FOLDER), *sys.path]), mock.patch.dict(sys.modules, packages_run=module):
        spec.loader.exec_module(module)
    return module


class Programs(unittest.TestCase):
    def run_short(self, *options, outcomes):
        """Runs the short run with these outcomes instead of programs; returns the exit status and the last line."""
        run, said = runner(), io.StringIO()
        place = mock.Mock(version=lambda package: "1")
        made = [run.servers.Missing("no server") if outcome is None else outcome for outcome in outcomes]
        with (
            mock.patch.object(run, "Place", return_value=place),
            mock.patch.object(run, "outcome", side_effect=made),
            mock.patch.object(run, "endings", return_value={}),
            mock.patch.object(sys, "argv", ["run.py", "--short", *options]),
            contextlib.redirect_stdout(said),
        ):
            status = run.main()
        return status, said.getvalue().splitlines()[-1]

    def test_the_last_line_counts_programs(self):
        good, bad = ("text", {"client": "text", "server": "text"}), ("text", {"client": "other", "server": "another"})
        for outcomes, status, line in (
            ([good] * 4, 0, "test result: 4 passed; 0 failed; 0 ignored"),
            ([None, good, good, good], 0, "test result: 3 passed; 0 failed; 1 ignored"),
            ([bad, good, AssertionError("why"), None], 1, "test result: 1 passed; 2 failed; 1 ignored"),
        ):
            self.assertEqual(self.run_short(outcomes=outcomes), (status, line))

    def test_no_program_may_be_left_out_of_a_required_run(self):
        good = ("text", {"component": "text"})
        self.assertEqual(self.run_short("--required", outcomes=[good] * 4)[0], 0)
        found = self.run_short("--required", outcomes=[good, good, good, None])
        self.assertEqual(found, (1, "test result: 3 passed; 0 failed; 1 ignored"))

    def test_the_short_run_needs_the_packages_of_its_programs(self):
        run = runner()
        wanted = {package for case in run.CASES if case.short for package in case.packages}
        self.assertEqual(set(packages.of_short_run()), wanted)
        self.assertIn("httpx", wanted)
        # Each has a version.
        self.assertEqual(len(requirements.pinned(sorted(wanted))), len(wanted))

    def test_without_the_component_with_tls_they_are_left_out(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(programs, "COMPONENTS", Path(folder)):
            for short in (False, True):
                with self.assertRaisesRegex(LeftOut, r"streams-tls\.wasm, which needs clang"):
                    packages.test(argparse.Namespace(short=short, publish=False, required=False))
