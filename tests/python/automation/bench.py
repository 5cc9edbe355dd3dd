"""The benchmark's peer in Python, as a component."""

from . import interpreters, programs
from .paths import ROOT


def prepare() -> None:
    """Makes the component. Prints its path, and the CPython that runs the same file."""
    stock = interpreters.stock()
    component = programs.compiled(programs.Program(ROOT / "bench" / "peer.py", name="bench-peer"))
    print(f"COMPONENT={component}\nPYTHON={stock.program}\nVERSION={stock.version}")
