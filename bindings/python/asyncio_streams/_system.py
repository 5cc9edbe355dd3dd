"""Functions of `os` about processes: a component sees no process besides itself, which it can end."""

from __future__ import annotations

import errno
import os
import signal
from typing import Any, NoReturn

from . import _bindings

NO_PROCESSES = "WASI starts no processes: run the command outside, behind a TCP server, and connect to it"
_REASONS = {
    "getppid": "a component sees no process besides itself",
    "pipe": "WASI has no pipes: use asyncio.Queue, socket.socketpair() or a file",
    **dict.fromkeys(
        "execl execle execlp execv execve execvp fork forkpty popen posix_spawn posix_spawnp spawnl spawnv "
        "startfile system wait wait3 wait4 waitid waitpid".split(),
        NO_PROCESSES,
    ),
    **dict.fromkeys(
        "getegid geteuid getgid getgroups getlogin getuid killpg setegid seteuid setgid setsid setuid".split(),
        "WASI has no users and no groups of processes",
    ),
}


def install() -> None:
    """Makes `os` end the component with the right exit status, and explain what it does not have."""
    public: Any = os
    public.kill = kill
    public.__getattr__ = _refuse_name
    # During the build, and in a world without it, there is no such function of the host.
    leave: Any = _bindings.cli("exit")
    if leave is not None:

        def exit_at_once(status: int) -> None:
            leave.exit_with_code(status & 0xFF)

        def abort() -> None:
            leave.exit_with_code(128 + signal.SIGABRT)

        exit_at_once.__doc__, abort.__doc__ = os._exit.__doc__, os.abort.__doc__
        public._exit, public.abort = exit_at_once, abort


def kill(pid: int, signal_number: int, /) -> None:
    """Raises a signal of this process. Raises ProcessLookupError for another process."""
    if pid != os.getpid():
        raise ProcessLookupError(errno.ESRCH, "No such process: a component sees none besides itself")
    if signal_number:
        signal.raise_signal(signal_number)


def _refuse_name(name: str) -> NoReturn:
    reason = _REASONS.get(name)
    raise AttributeError(f"module 'os' has no attribute {name!r}" + (f": {reason}" if reason else ""), name=name, obj=os)
