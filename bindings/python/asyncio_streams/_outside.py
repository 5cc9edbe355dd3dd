"""The error outside of components. It is alone here: the command starts with it, and imports nothing else."""

from __future__ import annotations


class NotInComponentError(RuntimeError):
    """The program does not run inside a component, or in one without the interface that it needs."""
