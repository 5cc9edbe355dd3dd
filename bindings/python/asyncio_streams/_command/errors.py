"""The error that ends the command."""

from __future__ import annotations


class CommandError(Exception):
    """A message for people, and its exit status."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status
