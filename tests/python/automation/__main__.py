"""The command: parses the arguments and reports errors."""

import argparse
import sys

from . import bench, comparison, demo, environment, lints, packages, programs, wheel
from .errors import Failure, LeftOut

# Tells `cargo xtask` that nothing failed, but that a requirement is not available.
_LEFT_OUT = 77


def main() -> int:
    """Runs the command. Returns its exit status."""
    options = _parser().parse_args()
    try:
        options.run(options)
    except LeftOut as reason:
        print(reason, file=sys.stderr)
        return _LEFT_OUT
    except Failure as reason:
        print(f"\n{reason}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m automation", description=__doc__)
    commands = parser.add_subparsers(required=True)

    def command(name, run, text):
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    command("lints", lambda _: lints.check(), "check the package and the programs, and the spelling of everything")
    command("build", lambda _: programs.build_all(), "make components of all programs")
    command("test", lambda _: programs.test(), "run the package's own tests, make the components, run the demo")
    command("demo", lambda _: demo.demo(), "let the echo client and the echo server talk")
    command("bench-peer", lambda _: bench.prepare(), "make a component of the benchmark's peer, and print where it is")
    for made in (
        command("wheel", wheel.make, "make the wheel, into target/dist"),
        command("installed", wheel.test, "make the wheel, and test it in an environment of its own"),
    ):
        made.add_argument("--streams", help="the program that the wheel contains", default=wheel.STREAMS)
    given = command("packages", packages.test, "run programs with packages, and the packages' own tests, on both sides")
    given.add_argument("--publish", action="store_true", help="put the table into docs/python-packages.md")
    given.add_argument("--short", action="store_true", help="run only some programs, with few packages")
    given.add_argument("--required", action="store_true", help="fail if a program is left out")
    made = command("environment", environment.command, "make a virtual environment with packages, and print its Python")
    made.add_argument("name")
    made.add_argument("packages", nargs="+")
    compare = command("compare", comparison.command, "run CPython's own tests with asyncio's streams and with ours")
    compare.add_argument("--only", default="", help="run the tests whose names contain this")
    compare.add_argument("--publish", action="store_true", help="put the table into docs/python.md")
    return parser


if __name__ == "__main__":
    sys.exit(main())
