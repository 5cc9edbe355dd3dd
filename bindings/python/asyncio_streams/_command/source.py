"""The source of a program: decoded and checked as Python does before it runs a file."""

from __future__ import annotations

import ast
import importlib.util


def read(data: bytes, name: str) -> tuple[str, ast.Module]:
    """Returns the text and the tree of the file `name`. Raises SyntaxError, also for a wrong encoding.

    `await` is allowed at the top level, as in components.
    """
    try:
        tree = ast.parse(data, name)
        # Finds errors that the parser does not, such as a `return` outside a function.
        compile(tree, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        return importlib.util.decode_source(data), tree
    except SyntaxError as reason:
        reason.filename = reason.filename if reason.filename not in (None, "<unknown>", "<string>") else name
        raise
    except (ValueError, RecursionError, MemoryError) as reason:
        # Null bytes, or more nesting than Python can read.
        raise SyntaxError(str(reason) or "it is nested too deeply", (name, None, None, None)) from reason
