"""The benchmark's peer in Python, as a component."""

from . import interpreters, programs, requirements
from .errors import Failure
from .paths import ROOT
from .process import output_of

# The packages that serve the workload of requests, on both sides.
_PACKAGES = ("uvicorn", "starlette")


def prepare() -> None:
    """Makes the component.

    Prints its path, that of the same before it was compiled, and the CPython that runs the same file with the same
    packages.
    """
    stock = interpreters.stock()
    packages = requirements.pinned(_PACKAGES)
    program = programs.Program(ROOT / "bench" / "peer.py", name="bench-peer", packages=packages, tls=True)
    tool = programs.tool_of(program)
    folder = output_of([tool, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
    if folder is None:
        raise Failure(f"{tool} does not say where its packages are")
    component = programs.compiled(program, tool)
    print(f"COMPONENT={component}\nCOMPOSED={component.with_suffix('.wasm')}")
    print(f"PYTHON={stock.program}\nVERSION={stock.version}\nPACKAGES={folder}")
