"""The command `asyncio-streams`: its arguments, its subcommands, and each failure as one message and an exit status."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from .. import __version__, build
from . import again, base, environment, tools, watch
from .errors import CommandError
from .program import NoProgramError, Program
from .run import Run, become

_NAME = "asyncio-streams"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(given)
    options.given = given
    try:
        status: int = options.do(options)
    except NoProgramError as reason:
        # The text is Python's own.
        print(reason, file=sys.stderr)
        return reason.status
    except CommandError as reason:
        print(f"{_NAME}: {reason}", file=sys.stderr)
        return reason.status
    except KeyboardInterrupt:
        print(f"\n{_NAME}: interrupted; nothing was kept of what was not finished", file=sys.stderr)
        return _end_by(signal.SIGINT)
    except OSError as reason:
        print(f"{_NAME}: {reason.filename or _place()}: {reason.strerror or reason}", file=sys.stderr)
        return 1
    return _end_by(signal.SIGINT) if status == 128 + signal.SIGINT else status


def _build(options: argparse.Namespace) -> int:
    program = Program(options.program, options.path)
    place = _environment(options)
    inline_executor = options.executor == "inline"
    want = base.wanted(
        program.imports(), place, tls=options.with_tls, inline_executor=inline_executor, unix=options.with_unix
    )
    output = options.output or Path(options.program.with_suffix(".wasm").name)
    try:
        build.build(
            options.program,
            output,
            with_tls=want.tls,
            with_signals=options.with_signals,
            streams=tools.streams(tls=want.tls, unix=want.unix),
            paths=options.path,
            inline_executor=want.inline_executor,
            prefix=place.prefix,
        )
    except build.BuildError as reason:
        raise CommandError(str(reason)) from reason
    return 0


def _run(options: argparse.Namespace) -> int:
    program = Program(options.program, options.path)
    if options.prepare is not None:
        return _prepared(program, options).prepare(options.prepare)
    if options.watch:
        return watch.watch(program.places, lambda: _started(program, options))
    return _run_once(program, options)


def _run_once(program: Program, options: argparse.Namespace) -> int:
    """Runs the program; on `streams`, this process becomes the host."""
    began = again.now()
    want, host, cache, grants = _wanted(program, options)
    interpreter = base.get(want, host, cache, rebuild=options.rebuild)
    run = Run(program, interpreter, host, grants, options.arguments)
    if host.is_wasmtime or os.name != "posix":
        return run.to_the_end()
    command, place = run.kept(cache)
    if not options.rebuild:
        requirements = [str(options.requirements)] if options.requirements else []
        files = [*requirements, *program.read, *base.depends_on(want, host)]
        again.record(options.given, command, files, (str(interpreter.parent), str(place)), began)
    become(command)
    raise AssertionError("a process that has become another one continues")


def _started(program: Program, options: argparse.Namespace) -> Run | None:
    try:
        return _prepared(program, options)
    except CommandError as reason:
        print(reason if isinstance(reason, NoProgramError) else f"{_NAME}: {reason}", file=sys.stderr)
        return None


def _prepared(program: Program, options: argparse.Namespace) -> Run:
    want, host, cache, grants = _wanted(program, options)
    interpreter = base.get(want, host, cache, rebuild=options.rebuild)
    return Run(program, interpreter, host, grants, options.arguments)


def _wanted(program: Program, options: argparse.Namespace) -> tuple[base.Wanted, tools.Host, Path, tools.Grants]:
    """Returns the interpreter that the program needs, its host, the cache folder, and its grants. Raises CommandError."""
    imports = program.imports()
    host = tools.host()
    grants = tools.Grants(
        connect=tuple(options.allow_connect),
        listen=tuple(options.allow_listen),
        network=options.allow_network,
        unix_connect=tuple(options.allow_unix_connect),
        unix_listen=tuple(options.allow_unix_listen),
        folders=tuple(options.dir),
        variables=tuple(options.env),
    )
    cache = base.cache_folder()
    # Report grants that the host does not support before building anything.
    host.command(Path(), grants, [])
    want = base.wanted(
        imports,
        _environment(options),
        cache,
        tls=options.with_tls,
        inline_executor=options.executor == "inline",
        all_packages=options.all_packages,
        unix=bool(grants.unix_connect or grants.unix_listen),
    )
    return want, host, cache, grants


def _environment(options: argparse.Namespace) -> environment.Environment:
    if options.requirements is None:
        return environment.current()
    return environment.of_requirements(options.requirements, base.cache_folder())


def _place() -> str:
    """Returns the place of an error that names no file."""
    try:
        os.getcwd()
    except OSError:
        return "the working folder, which was deleted"
    return "the system"


def _end_by(number: signal.Signals) -> int:
    """Ends this process by a signal, as Python does, so that a shell notices it."""
    sys.stdout.flush()
    sys.stderr.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_NAME, description="Runs programs for asyncio as WebAssembly components, and makes components of them."
    )
    parser.add_argument("--version", action="version", version=f"{_NAME} {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run a program", description="Runs a program as a component.")
    _add_common(run)
    run.add_argument("--allow-connect", metavar="HOST:PORT", action="append", default=[], help="let it connect; * is any")
    run.add_argument("--allow-listen", metavar="ADDR:PORT", action="append", default=[], help="let it listen; * is any")
    run.add_argument("--allow-network", action="store_true", help="let it do on the network whatever this process may")
    run.add_argument("--allow-unix-connect", metavar="PATH", action="append", default=[], help="let it connect there")
    run.add_argument("--allow-unix-listen", metavar="PATH", action="append", default=[], help="let it listen there")
    run.add_argument("--dir", metavar="HOST[::GUEST]", action="append", default=[], help="let it use a folder")
    run.add_argument("--env", metavar="NAME=VALUE", action="append", default=[], help="set a variable; it sees no others")
    run.add_argument("--watch", action="store_true", help="start it anew whenever a file of its own changes")
    run.add_argument(
        "--all-packages", action="store_true", help="use one interpreter for all programs, with every package imported"
    )
    run.add_argument(
        "--prepare", type=Path, metavar="FOLDER", help="write the interpreter and the program into a folder, and run nothing"
    )
    run.add_argument("--rebuild", action="store_true", help="build the interpreter again, even if nothing seems changed")
    run.add_argument("program", type=Path, help="the file to run as __main__")
    run.add_argument("arguments", nargs=argparse.REMAINDER, help="what the program finds in sys.argv")
    run.set_defaults(do=_run)

    make = commands.add_parser("build", help="make a component", description="Makes a component that any host can run.")
    _add_common(make)
    make.add_argument("--with-unix", action="store_true", help="add Unix sockets; then it runs on `streams` only")
    make.add_argument(
        "--with-signals", action="store_true", help="let it handle SIGINT and SIGTERM; then it runs on `streams` only"
    )
    make.add_argument("-o", "--output", type=Path, help="the component to write; else the program's name with .wasm")
    make.add_argument("program", type=Path, help="the file to run as __main__")
    make.set_defaults(do=_build)
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-p", "--path", type=Path, metavar="DIR", action="append", default=[], help="a folder with modules")
    parser.add_argument(
        "-r", "--requirements", type=Path, metavar="FILE", help="take these packages, instead of those installed here"
    )
    parser.add_argument("--with-tls", action="store_true", help="add TLS even if no `import ssl` is found")
    parser.add_argument(
        "--executor",
        choices=["inline", "refuse"],
        default="inline",
        help="what run_in_executor and to_thread do: run the function at once, or raise NotImplementedError",
    )


if __name__ == "__main__":
    sys.exit(main())
