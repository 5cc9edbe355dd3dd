"""A program that the interpreter receives when it starts.

`asyncio-streams run` packs the program's files into one file, in a folder that it grants.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from ._bundle import Bundle

# The folder, as the component sees it, and the files in it. The command uses the same names.
FOLDER = "/.asyncio-streams"
PACK = "program"


def take(bundle: Bundle) -> tuple[str, str]:
    """Adds the program's files to the bundle, sets its arguments and folders in `sys`, and returns its name and source.

    Raises SystemExit if there is no program.
    """
    try:
        with open(f"{FOLDER}/{PACK}", "rb") as file:
            about: dict[str, Any] = bundle.load(file)
    except OSError:
        raise SystemExit("this component is an interpreter without a program: `asyncio-streams run` adds one") from None
    sys.argv = [about["argument"], *sys.argv[1:]]
    # The first folder was that of the build, which no longer exists.
    sys.path[:] = [*about["places"], *(place for place in sys.path if not os.path.isfile(f"{place}/asyncio_streams_app.py"))]
    sys.path_importer_cache.clear()
    return about["name"], about["source"]
