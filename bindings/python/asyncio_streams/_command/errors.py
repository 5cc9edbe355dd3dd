"""What ends the command."""

from __future__ import annotations


class CommandError(Exception):
    """A text for people, and the exit status that goes with it."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status
