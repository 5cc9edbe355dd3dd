"""`python -m asyncio_streams.build prog.py -o out.wasm`: makes a component of a program.

`asyncio-streams build` does the same with fewer options. Run it by a Python that has componentize-py installed. The
component runs the file as `__main__`, with asyncio's network functions installed. With `--streams` it is composed and
can run; otherwise it imports `asyncio:streams`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ._command import component, environment, source, tools
from ._command.errors import CommandError


class BuildError(Exception):
    """The reason why no component could be made, for people."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        build(
            options.program,
            options.output,
            with_tls=options.with_tls,
            with_signals=options.with_signals,
            streams=options.streams,
            paths=options.path,
            include=options.include,
            inline_executor=options.executor == "inline",
            wit_paths=options.wit,
            worlds=options.world,
        )
    except BuildError as reason:
        print(f"asyncio_streams.build: {reason}", file=sys.stderr)
        return 1
    return 0


def build(
    program: Path,
    output: Path,
    *,
    with_tls: bool = False,
    with_signals: bool = False,
    streams: Path | None = None,
    paths: Sequence[Path] = (),
    include: Sequence[str] = (),
    inline_executor: bool = True,
    wit_paths: Sequence[Path] = (),
    worlds: Sequence[str] = (),
    prefix: Path | None = None,
) -> None:
    """Builds the component `output` of `program`; the arguments are those of the command.

    `prefix` is the virtual environment whose packages it contains, instead of this Python's. Raises BuildError for all
    failures.
    """
    try:
        text, _ = source.read(program.read_bytes(), str(program))
    except OSError as reason:
        raise BuildError(f"cannot read {program}: {reason.strerror}") from reason
    except SyntaxError as reason:
        raise BuildError(f"{program}:{reason.lineno or 1}: {reason.msg}") from reason
    if streams is not None and not streams.is_file():
        raise BuildError(f"there is no {streams}; `cargo xtask build` makes it")
    with tempfile.TemporaryDirectory(prefix="asyncio-streams-") as folder:
        work = Path(folder)
        workshop = component.Workshop(
            work, with_tls=with_tls, with_signals=with_signals, environment=prefix or environment.current().prefix
        )
        try:
            places = [program.resolve().parent, *(path.resolve() for path in paths)]
            whole = workshop.of_program(str(program), text, places, include, inline_executor, wit_paths, worlds)
            if workshop.notes():
                print(f"asyncio_streams.build: {workshop.notes()}", file=sys.stderr)
            if streams is not None:
                part, whole = whole, work / "whole.wasm"
                tools.compose(part, streams, whole)
            shutil.copyfile(whole, output)
        except CommandError as reason:
            raise BuildError(str(reason)) from reason
        except OSError as reason:
            raise BuildError(f"cannot write {output}: {reason.strerror}") from reason


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m asyncio_streams.build",
        description="Makes a WebAssembly component of a Python program that uses asyncio's streams.",
    )
    parser.add_argument("program", type=Path, help="the file to run as __main__")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the component to write")
    parser.add_argument("--with-tls", action="store_true", help="let it import asyncio:streams/tls, and the module ssl")
    parser.add_argument("--with-signals", action="store_true", help="let it handle signals, which only `streams` tells")
    parser.add_argument("--streams", type=Path, help="streams.wasm or streams-tls.wasm, to compose it with")
    parser.add_argument("-p", "--path", type=Path, action="append", default=[], help="a folder with modules; repeatable")
    parser.add_argument("--include", action="append", default=[], help="a module to import beside those found; repeatable")
    parser.add_argument(
        "--executor",
        choices=["inline", "refuse"],
        default="inline",
        help="what run_in_executor and to_thread do: run the function at once, or raise NotImplementedError",
    )
    parser.add_argument("--wit", type=Path, action="append", default=[], help="more WIT, for --world; repeatable")
    parser.add_argument("--world", action="append", default=[], help="a world to add; repeatable")
    return parser


if __name__ == "__main__":
    sys.exit(main())
