"""The WIT of a program: the project's package, and a world for a command."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

WORLD = "python-program"

_HERE = Path(__file__).resolve().parent
_WORLD_TEXT = """\
package asyncio:python@0.1.0;

world {world} {{
{imports}  import wasi:clocks/monotonic-clock@0.3.0;
  export wasi:cli/run@0.3.0;
}}
"""
# One item of an interface or a resource: its comment, its @since, and everything up to the semicolon.
_ITEM = re.compile(
    r"(?:^[ \t]*///[^\n]*\n)*^[ \t]*@since\([^)]*\)\n"
    r"[ \t]*(?P<head>use tls\.|[a-z0-9-]+: (?:async )?func)(?P<rest>[^;]*);\n\n?",
    re.MULTILINE,
)


class NoWitError(RuntimeError):
    """The WIT package of asyncio:streams is missing."""


def find() -> Path:
    """Returns the folder of the WIT package: the checkout's, or the one inside this package.

    Raises NoWitError if there is neither.
    """
    for folder in (_HERE.parents[2] / "wit", _HERE / "wit"):
        if (folder / "streams.wit").is_file():
            return folder
    raise NoWitError(
        f"there is no WIT package of asyncio:streams, neither in {_HERE.parents[2] / 'wit'} nor in {_HERE / 'wit'}"
    )


def write(target: Path, source: Path, *, with_tls: bool, with_signals: bool = False) -> None:
    """Writes a WIT package for one program into the folder `target`.

    With signals, the program imports an interface that not all hosts have.

    Without TLS, functions and types with a TLS configuration are removed from the interface. A composed component may
    export more than is imported, so the program imports nothing of TLS.
    """
    package = target / "deps" / "asyncio-streams"
    package.mkdir(parents=True)
    names = ["streams", "numbers", "unix", *(["tls"] if with_tls else []), *(["signals"] if with_signals else [])]
    for name in ["types", *names]:
        text = (source / f"{name}.wit").read_text(encoding="utf-8")
        (package / f"{name}.wit").write_text(text if with_tls else without_tls(text), encoding="utf-8")
    for file in sorted((source / "deps").glob("*.wit")):
        shutil.copy(file, target / "deps" / file.name)
    imports = "".join(f"  import asyncio:streams/{name}@0.1.0;\n" for name in names)
    imports += "".join(f"  import wasi:cli/{name}@0.3.0;\n" for name in ("exit", "stdin", "stdout", "stderr"))
    (target / "world.wit").write_text(_WORLD_TEXT.format(world=WORLD, imports=imports), encoding="utf-8")


def without_tls(text: str) -> str:
    """Returns an interface's text without the functions for TLS, and without their types."""

    def keep(item: re.Match[str]) -> str:
        about_tls = item["head"].startswith("use tls") or re.search(r"client-config|server-config|tls-info", item["rest"])
        return "" if about_tls else item[0]

    return _ITEM.sub(keep, text)
