"""The entry of the command: starts a program that was started before at once, and imports the rest otherwise."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Runs the command; returns its exit status."""
    try:
        from . import again

        again.start(sys.argv[1:])
        from . import main as command

        return command.main()
    except KeyboardInterrupt:
        # It came during the imports; afterwards the command reports it.
        import signal

        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
        return 128 + signal.SIGINT
