"""The files of a component: which are included, how modules are imported from them, how they are read."""

import importlib.util
import os
import pkgutil
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from asyncio_streams import _bundle, _files, _loader, _modules

OWN = {
    "prog.py": "x = 1",
    "secret.txt": "beside the program",
    "notes/plain.txt": "in no package",
    "pack/__init__.py": "",
    "pack/data.txt": "data",
    "pack/part.py": "VALUE = __file__",
    "pack/templates/page.html": "<p>",
    "pack/fast.cpython-311-x86_64-linux-gnu.so": "compiled",
    "pack/fast.c": "",
    "pack/__pycache__/part.cpython-314.pyc": "",
    "spread/inner.py": "VALUE = 5",
    "pack-1.0.dist-info/METADATA": "Name: pack\nVersion: 1.0\n",
    ".hidden/a.py": "",
    "pack/.env": "a secret",
    "other/pyvenv.cfg": "",
    "other/lib.py": "",
    "target/b.py": "",
}
TAKEN = [
    "pack-1.0.dist-info/METADATA",
    "pack/__init__.py",
    "pack/data.txt",
    "pack/part.py",
    "pack/templates/page.html",
    "prog.py",
    "spread/inner.py",
]


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.place = f"{folder.name}/place"
        for name, content in OWN.items():
            path = Path(self.place, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.bundle = _bundle.Bundle()

    def taken(self):
        return sorted(path.removeprefix(f"{self.place}/") for path in self.bundle._files)

    def forget(self):
        """Removes the folder from the file system, as when the component runs."""
        os.rename(self.place, f"{self.place}-gone")


class Taking(Files):
    def test_a_programs_folder_gives_modules_and_data_of_packages(self):
        self.bundle.take_own(self.place)
        self.assertEqual(self.taken(), TAKEN)

    def test_only_some_names_of_a_folder(self):
        self.bundle.take_own(self.place, ["spread"])
        self.assertEqual(self.taken(), ["spread/inner.py"])

    def test_an_environment_gives_everything_except_build_tools(self):
        for name in ("pip/__init__.py", "pip-24.0.dist-info/METADATA", "bin/tool", "single.txt", "componentize_py/a.py"):
            path = Path(self.place, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text("x")
        self.bundle.take_environment(self.place)
        more = ["notes/plain.txt", "secret.txt", "single.txt", "target/b.py"]
        self.assertEqual(self.taken(), sorted(TAKEN + more))

    def test_bounds(self):
        for bound, words in (("_MOST_ENTRIES", "a folder of its own"), ("_LARGEST", r"prog\.py \(0 MB\) are the largest")):
            with mock.patch.object(_bundle, bound, 3), self.assertRaisesRegex(_bundle.TooMuchError, words):
                _bundle.Bundle().take_own(self.place)
        with mock.patch.object(_bundle, "_LARGEST_FILE", 3):
            self.bundle.take_own(self.place)
        self.assertNotIn("pack/part.py", self.taken())

    def test_compiled_parts_are_named_when_they_are_imported(self):
        self.bundle.take_own(self.place)
        explaining = _modules.Explaining(self.bundle, with_tls=False)
        with self.assertRaisesRegex(ModuleNotFoundError, r"No module named 'pack.fast'; .*fast\.cpython.*\.so"):
            explaining.find_spec("pack.fast", [f"{self.place}/pack"])
        with self.assertRaisesRegex(ModuleNotFoundError, "--with-tls"):
            explaining.find_spec("_ssl")
        self.assertIsNone(explaining.find_spec("elsewhere"))
        explaining.active = True
        self.assertIsNone(explaining.find_spec("elsewhere"))
        with mock.patch.object(sys, "meta_path", [*sys.meta_path, explaining]):
            self.assertIsNone(importlib.util.find_spec("elsewhere"))
            with self.assertRaisesRegex(ModuleNotFoundError, "-p"):
                importlib.import_module("elsewhere")


class Importing(Files):
    def setUp(self):
        super().setUp()
        self.bundle.take_own(self.place)
        self.forget()
        for name in ("path", "path_hooks", "meta_path"):
            patch = mock.patch.object(sys, name, list(getattr(sys, name)))
            patch.start()
            self.addCleanup(patch.stop)
        for name in ("modules", "path_importer_cache"):
            patch = mock.patch.dict(getattr(sys, name))
            patch.start()
            self.addCleanup(patch.stop)
        sys.path.append(self.place)
        _loader.install(self.bundle)

    def test_modules_packages_and_namespaces(self):
        import pack.part
        import spread.inner

        self.assertEqual(pack.part.VALUE, f"{self.place}/pack/part.py")
        self.assertEqual(spread.inner.VALUE, 5)
        self.assertEqual(pack.part.__spec__.loader.get_source("pack.part"), OWN["pack/part.py"])
        self.assertIsNone(importlib.util.find_spec("pack.nothing"))
        self.assertEqual([module.name for module in pkgutil.iter_modules([self.place])], ["pack", "prog"])

    def test_compiled_parts_are_named_by_imports_of_each_kind(self):
        sys.meta_path.append(_modules.Explaining(self.bundle, with_tls=False))
        for text in ("import pack.fast", "from pack.fast import x", "from pack import fast", "from pack import part, fast"):
            with self.subTest(text), self.assertRaises(ImportError) as raised:
                exec(text, {})
            self.assertRegex(str(raised.exception), r"fast.*; it is a compiled part \(fast\..*\.so\)")
        # As for a name that is missing.
        self.assertEqual((type(raised.exception), raised.exception.name), (ImportError, "pack"))

    def test_the_standard_library_is_unchanged(self):
        import colorsys

        self.assertNotIsInstance(colorsys.__spec__.loader, _loader.Loader)


class Reading(Files):
    def setUp(self):
        super().setUp()
        self.bundle.take_own(self.place)
        self.forget()
        patch = mock.patch.object(_files, "_bundle", self.bundle)
        patch.start()
        self.addCleanup(patch.stop)

    def test_files_are_opened_to_read(self):
        path = f"{self.place}/pack/data.txt"
        for name in (path, path.encode(), Path(path), f"{self.place}/pack/../pack//data.txt"):
            with _files.open_file(name) as file:
                self.assertEqual((file.read(), file.name), ("data", path))
        with _files.open_file(path, "rb") as file:
            self.assertEqual(file.read(), b"data")
        for mode in ("w", "a", "r+", "x"):
            self.assertRaises(OSError, _files.open_file, path, mode)
        self.assertRaises(ValueError, _files.open_file, path, "q")

    def notes_on(self, name):
        """Returns the notes on the error of a missing file."""
        with self.assertRaises(FileNotFoundError) as missing:
            _files.open_file(name)
        return getattr(missing.exception, "__notes__", [])

    def test_a_missing_file_in_no_folder_of_the_component_gets_a_note(self):
        granted = f"{self.place}-gone"
        inside = (f"{self.place}/pack/nothing", f"{self.place}/no/file", f"{granted}/no", f"{granted}/no/folder/file")
        outside = (os.path.dirname(granted) + "/no", "/no", "/no/folder/file", "//no", "no", "no/file", b"no/file")

        def stat(path):
            # As WASI's C library: it finds only what is granted, and the root is not.
            if path != granted and not path.startswith(f"{granted}/"):
                raise FileNotFoundError(2, "No such file or directory", path)
            return os.stat(path)

        # The bundle has the root if a program's folder is there.
        self.bundle._folders["/"] = []
        with mock.patch.object(_files, "_stat", stat):
            for name in inside:
                self.assertEqual(self.notes_on(name), [], name)
            for name in outside:
                self.assertEqual(self.notes_on(name), [_files._UNGRANTED], name)
        # Here the root exists.
        for name in (*inside, *outside):
            self.assertEqual(self.notes_on(name), [], name)

    def test_folders_are_listed(self):
        place = f"{self.place}/pack"
        self.assertEqual(sorted(_files.list_folder(place)), ["__init__.py", "data.txt", "part.py", "templates"])
        self.assertIn(b"data.txt", _files.list_folder(place.encode()))
        with _files.scan_folder(place) as entries:
            found = {entry.name: (entry.is_dir(), entry.is_file(), entry.path) for entry in entries}
        self.assertEqual(found["templates"], (True, False, f"{place}/templates"))
        self.assertEqual(found["part.py"], (False, True, f"{place}/part.py"))
        self.assertRaises(FileNotFoundError, _files.list_folder, f"{self.place}/nothing")

    def test_status(self):
        status = _files._or_bundled(os.stat)
        self.assertEqual(status(f"{self.place}/pack/data.txt").st_size, 4)
        self.assertEqual(status(f"{self.place}/pack").st_mode & 0o170000, 0o040000)
        self.assertRaises(FileNotFoundError, status, f"{self.place}/nothing")
        self.assertEqual(_files._or_bundled(os.lstat)(__file__), os.lstat(__file__))


if __name__ == "__main__":
    unittest.main()
