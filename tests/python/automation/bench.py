"""The benchmark's peer in Python, as a component."""

import sys
from pathlib import Path

from . import interpreters, programs, requirements
from .errors import Failure, LeftOut
from .paths import ROOT
from .process import output_of

_PEER = ROOT / "bench" / "peer.py"

# The packages that serve the workload of requests, on both sides.
_PACKAGES = ("uvicorn", "starlette")


def prepare() -> None:
    """Makes the component.

    Prints its path, that of the same before it was compiled, and the CPython that runs the same file with the same
    packages. Without these packages, or without TLS, which they need, the component is made without both, and no folder
    of packages is printed.
    """
    stock = interpreters.stock()
    packages = None
    try:
        component, packages = _with_packages()
    except LeftOut as reason:
        print(f"\n!!! Left out: requests to an application in Python. {reason}", file=sys.stderr)
        component = programs.compiled(programs.Program(_PEER, name="bench-peer-plain"))
    print(f"COMPONENT={component}\nCOMPOSED={component.with_suffix('.wasm')}")
    print(f"PYTHON={stock.program}\nVERSION={stock.version}")
    if packages is not None:
        print(f"PACKAGES={packages}")


def _with_packages() -> tuple[Path, str]:
    """Returns the component with packages, and their folder. Raises LeftOut."""
    program = programs.Program(_PEER, name="bench-peer", packages=requirements.pinned(_PACKAGES), tls=True)
    # Before the packages are downloaded.
    programs.streams(program.name, tls=True)
    tool = programs.tool_of(program)
    packages = output_of([tool, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
    if packages is None:
        raise Failure(f"{tool} does not say where its packages are")
    return programs.compiled(program, tool), packages
