"""The versions of packages of Python's index that the programs and the benchmark use."""

from collections.abc import Iterable

from .errors import Failure
from .paths import ROOT

# It also has the versions of the packages that these bring along: pip gets it as constraints.
FILE = ROOT / "tests" / "python" / "packages" / "requirements.txt"


def pinned(names: Iterable[str]) -> tuple[str, ...]:
    """Returns these packages with their versions, as `name==version`. Raises Failure for a package without one."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    versions = {line.partition("==")[0]: line for line in lines if "==" in line}
    missing = [name for name in names if name not in versions]
    if missing:
        raise Failure(f"{FILE} has no version of {', '.join(missing)}")
    return tuple(versions[name] for name in names)
