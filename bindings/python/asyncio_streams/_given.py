"""A program that is given to the interpreter when it starts.

`asyncio-streams run` packs the program's files into one, in a folder that it grants.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from ._bundle import Bundle

# The folder, as the component sees it, and the files in it. The command has these names too.
FOLDER = "/.asyncio-streams"
PACK = "program"
STATUS = "status"


def take(bundle: Bundle) -> tuple[str, str]:
    """Takes the program's files into the bundle, and its arguments and folders into `sys`; returns its name and its source.

    Raises SystemExit if no program was given.
    """
    try:
        with open(f"{FOLDER}/{PACK}", "rb") as file:
            about: dict[str, Any] = bundle.load(file)
    except OSError:
        raise SystemExit("this component is an interpreter without a program: `asyncio-streams run` gives it one") from None
    sys.argv = [about["argument"], *sys.argv[1:]]
    # The folder of the build, which is the first, is no more.
    sys.path[:] = [*about["places"], *(place for place in sys.path if not os.path.isfile(f"{place}/asyncio_streams_app.py"))]
    sys.path_importer_cache.clear()
    return about["name"], about["source"]


def tell_status(status: int) -> None:
    """Tells the command the exit status; without one that listens it does nothing."""
    try:
        with open(f"{FOLDER}/{STATUS}", "w", encoding="ascii") as file:
            file.write(str(status))
    except OSError:
        return
