"""Prepares the programs that the tests run: `prepare.py FOLDER`.

Each gets a folder with a shared interpreter and its own files, as `asyncio-streams run --prepare` writes them.
"""

import sys
from pathlib import Path

from asyncio_streams._command import main

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("examples/python", "tests/python/programs")


def prepare(target):
    """Prepares all of them; returns the first exit status that is not 0."""
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).glob("*.py")):
            name = file.stem.replace("_", "-")
            status = main.main(["run", "--prepare", str(target / name), str(file)])
            if status:
                return status
    return 0


if __name__ == "__main__":
    sys.exit(prepare(Path(sys.argv[1])))
