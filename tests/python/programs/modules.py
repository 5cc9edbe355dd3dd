"""Modules, data and metadata of packages that are first used at run time.

    modules.py MATTER
"""

import importlib
import sys
import traceback

from library import lazy


def lazily():
    """Imports of names that no line contains, of packages and of the standard library."""
    print(lazy.show("A", bytes([192, 0, 2, 1])), lazy.show("MX", b"\1\2"))
    for name in ("wsgiref.headers", "xml.etree.ElementTree", "html.parser", "sched", "encodings.koi8_r"):
        print(importlib.import_module(name).__name__)
    print("текст".encode("koi8_r"), "é".encode("cp850"))
    import pkgutil

    import library.records

    print([module.name for module in pkgutil.iter_modules(library.records.__path__, "records.")])
    print(importlib.util.find_spec("library.no_such_module"))
    try:
        importlib.import_module("library.no_such_module")
    except ModuleNotFoundError as error:
        print(error.name, str(error).startswith("No module named 'library.no_such_module'"))


def data():
    """Files beside modules."""
    import importlib.metadata
    import importlib.resources
    import os
    import pathlib

    import library

    print(importlib.resources.files("library").joinpath("data.txt").read_text(), end="")
    with importlib.resources.as_file(importlib.resources.files("library") / "templates" / "page.html") as path:
        print(path.name, path.read_bytes())
    folder = os.path.dirname(library.__file__)
    with open(os.path.join(folder, "data.txt"), encoding="utf-8") as file:
        print(file.readlines())
    place = pathlib.Path(folder, "templates")
    print([entry.name for entry in place.iterdir()], place.is_dir(), (place / "page.html").stat().st_size)
    print(sorted(name for _, _, names in os.walk(folder) for name in names if name.endswith((".txt", ".html"))))
    print(os.path.exists(os.path.join(folder, "nothing")), os.path.isfile(os.path.join(folder, "data.txt")))
    try:
        with open(os.path.join(folder, "nothing"), encoding="utf-8"):
            print("it is there")
    except FileNotFoundError as error:
        print(type(error).__name__)
    print(importlib.metadata.version("library"), importlib.metadata.metadata("library")["Summary"])
    (entry,) = importlib.metadata.entry_points(group="library.records")
    print(entry.name, entry.load()(b"\1\2"))


def lines():
    """Tracebacks show files and lines of modules imported at run time, and of those imported before."""
    for cause in (lazy.fail, lambda: importlib.import_module("json").loads("{")):
        try:
            cause()
        except Exception as error:
            frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
            for frame in frames:
                # The lines of the standard library differ between the two versions.
                place = (frame.lineno, frame.line) if "json" not in frame.filename else bool(frame.line)
                print(frame.filename.rpartition("/")[2], frame.name, place)
            print(type(error).__name__)


def missing():
    """A module that does not exist."""
    importlib.import_module("no_such_module")


{"lazily": lazily, "data": data, "lines": lines, "missing": missing}[sys.argv[1]]()
