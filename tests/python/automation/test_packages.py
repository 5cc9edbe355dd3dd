import importlib.util
import sys
import unittest
from unittest import mock

from . import packages, requirements
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
    def test_the_short_run_needs_the_packages_of_its_programs(self):
        run = runner()
        wanted = {package for case in run.CASES if case.short for package in case.packages}
        self.assertEqual(set(packages.of_short_run()), wanted)
        self.assertIn("httpx", wanted)
        # Each has a version.
        self.assertEqual(len(requirements.pinned(sorted(wanted))), len(wanted))
