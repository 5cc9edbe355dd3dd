"""Imports that happen only in functions, of names that no line contains."""

import importlib


def show(kind, data):
    """Shows a record, by the module for its kind; in a general form without one, as in dnspython."""
    try:
        module = importlib.import_module(f"library.records.{kind.lower()}")
    except ImportError:
        return rf"\# {len(data)} {data.hex()}"
    return module.show(data)


def fail():
    """Imports a module that raises."""
    from . import raising

    return raising
