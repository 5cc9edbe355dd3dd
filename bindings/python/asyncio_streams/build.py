"""`python -m asyncio_streams.build prog.py -o out.wasm`: makes a component of a program.

It is run by the Python in which componentize-py is installed. The component runs the file as `__main__`, with asyncio's
network functions installed. With `--streams` it is composed and ready to run; without, it imports `asyncio:streams`.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import _wit

_APP = "asyncio_streams_app"
_APP_TEXT = """\
import wit_world.exports
from asyncio_streams import _program

_program.prepare({name!r}, **{options!r})


class Run(wit_world.exports.Run):
    async def run(self):
        await _program.run()
"""


class BuildError(Exception):
    """What stands in the way, for people."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; gives its exit status."""
    options = _parser().parse_args(arguments)
    try:
        build(
            options.program,
            options.output,
            with_tls=options.with_tls,
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
    streams: Path | None = None,
    paths: Sequence[Path] = (),
    include: Sequence[str] = (),
    inline_executor: bool = True,
    wit_paths: Sequence[Path] = (),
    worlds: Sequence[str] = (),
) -> None:
    """Makes the component `output` of `program`; the arguments are those of the command.

    Raises BuildError for everything that can go wrong.
    """
    try:
        source = program.read_text(encoding="utf-8")
        ast.parse(source, str(program))
    except (OSError, UnicodeDecodeError) as reason:
        raise BuildError(f"cannot read {program}: {reason}") from reason
    except SyntaxError as reason:
        raise BuildError(f"{program}:{reason.lineno}: {reason.msg}") from reason
    if streams is not None and not streams.is_file():
        raise BuildError(f"there is no {streams}; `cargo xtask build` makes it")
    wac = _wac() if streams is not None else None
    with tempfile.TemporaryDirectory(prefix="asyncio-streams-") as folder:
        work = Path(folder)
        try:
            _wit.write(work / "wit", _wit.find(), with_tls=with_tls)
        except (OSError, _wit.NoWitError) as reason:
            raise BuildError(str(reason)) from reason
        own = [program.resolve().parent, *(path.resolve() for path in paths)]
        (work / "app").mkdir()
        # Not in the code that is run: errors show that.
        (work / "app" / "program").write_text(source, encoding="utf-8")
        text = _APP_TEXT.format(
            name=str(program),
            options={
                # By these names componentize-py shows its folders to the program.
                "places": [f"/{number}" for number in range(len(own))],
                "package": f"/{len(own)}",
                "workshop": f"/{len(own) + 1}",
                "more": list(include),
                "with_tls": with_tls,
                "inline_executor": inline_executor,
            },
        )
        (work / "app" / f"{_APP}.py").write_text(text, encoding="utf-8")
        part = work / "part.wasm"
        command = [_componentize(), "--quiet", "-d", str(work / "wit"), "-w", _wit.WORLD]
        for path in wit_paths:
            command += ["-d", str(path)]
        for world in worlds:
            command += ["-w", world]
        command += ["componentize", _APP, "-o", str(part)]
        for place in [*own, Path(__file__).resolve().parents[1], work / "app"]:
            command += ["-p", str(place)]
        _run(command, "componentize-py")
        notes = work / "app" / "notes"
        if notes.is_file():
            print(f"asyncio_streams.build: {notes.read_text(encoding='utf-8').rstrip()}", file=sys.stderr)
        whole = part
        if wac is not None:
            whole = work / "whole.wasm"
            _run([wac, "plug", str(part), "--plug", str(streams), "-o", str(whole)], "wac")
        try:
            shutil.copyfile(whole, output)
        except OSError as reason:
            raise BuildError(f"cannot write {output}: {reason}") from reason


def _run(command: Sequence[str], name: str) -> None:
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    if sys.prefix != sys.base_prefix:
        # What is installed beside componentize-py can be imported; what the machine's other Pythons have, cannot.
        environment["VIRTUAL_ENV"] = sys.prefix
    try:
        done = subprocess.run(command, env=environment, text=True, capture_output=True, check=False)
    except OSError as reason:
        raise BuildError(f"cannot run {command[0]}: {reason}") from reason
    if done.returncode:
        raise BuildError(f"{name} failed:\n{_without_backtrace(done.stdout + done.stderr)}")


def _without_backtrace(text: str) -> str:
    """What a tool has said, without where in itself it said it."""
    for name in ("MissingModuleError: ", "TooMuchError: "):
        before, found, cause = text.rpartition(name)
        if found:
            # It is said twice, and the last time followed by where in the tool it was noticed.
            text = cause
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.strip().startswith(("Stack backtrace", "0: ", "stack backtrace")):
            return "\n".join(lines[:number]).rstrip()
    return text.rstrip()


def _componentize() -> str:
    beside = shutil.which("componentize-py", path=str(Path(sys.executable).parent))
    found = beside or shutil.which("componentize-py")
    if found is None:
        raise BuildError(f"componentize-py is not installed: {sys.executable} -m pip install componentize-py==0.25.1")
    return found


def _wac() -> str:
    found = shutil.which("wac")
    if found is None:
        raise BuildError(
            "wac is not installed, and --streams needs it: `cargo install wac-cli --version 0.12.0 --locked`; "
            "or leave --streams out, and compose the result by other means"
        )
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m asyncio_streams.build",
        description="Makes a WebAssembly component of a Python program that uses asyncio's streams.",
    )
    parser.add_argument("program", type=Path, help="the file to run as __main__")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the component to write")
    parser.add_argument("--with-tls", action="store_true", help="let it import asyncio:streams/tls, and the module ssl")
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
