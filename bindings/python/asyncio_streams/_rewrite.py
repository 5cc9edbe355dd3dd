"""Rewrites code that waits at its top level: every call there is awaited if it would block.

Only the host can wait, so nothing inside a component can block. But the code of a program can be a coroutine, and so
can a plain function that it calls, when the function is compiled once more (see `_twins`):

    asyncio.run(serve())             await DONE(SELECT(asyncio.run)(serve()))
    fire.Fire(main)                  await DONE(SELECT(fire.Fire, main)(main))

SELECT returns its first argument, unless the call would block: then it returns a callable that makes a coroutine. So a
function that does not block is called from its usual place, and finds its caller's frame. The other arguments of
SELECT are plain names among those of the call: the function may call them. Only names before the first argument that
runs code are among them: Python evaluates the names after it later, and they may not be bound before.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

_Function = ast.FunctionDef | ast.Lambda

SELECT = "__asyncio_streams_select__"
DONE = "__asyncio_streams_done__"

# None of them blocks, and some inspect the frame that calls them.
_BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))


def rewrite(tree: ast.Module) -> ast.Module:
    """Returns the same program, which awaits blocking calls. Changes `tree`."""
    Awaiting().visit(tree)
    return ast.fix_missing_locations(tree)


class Awaiting(ast.NodeTransformer):
    """Awaits the calls of a code block, except those in nested functions, classes and comprehensions."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in _BUILTINS:
            return node
        names = [ast.copy_location(ast.Name(one.id, ast.Load()), one) for one in _leading_names(node)]
        node.func = ast.copy_location(ast.Call(ast.Name(SELECT, ast.Load()), [node.func, *names], []), node.func)
        done = ast.copy_location(ast.Call(ast.Name(DONE, ast.Load()), [node], []), node)
        return ast.copy_location(ast.Await(done), node)

    def _leave_alone(self, node: ast.AST) -> ast.AST:
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = visit_ClassDef = _leave_alone
    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _leave_alone


def _leading_names(call: ast.Call) -> Iterator[ast.Name]:
    """Yields the arguments that are plain names, in Python's order of evaluation, up to one that runs code."""
    arguments = [(one, False) for one in call.args]
    arguments += [(keyword.value, keyword.arg is None) for keyword in call.keywords]
    for value, is_unpacked in arguments:
        if isinstance(value, ast.Name):
            yield value
        elif not isinstance(value, ast.Constant):
            return
        if is_unpacked:
            return


def as_coroutine(tree: ast.Module, name: str, line: int, free: tuple[str, ...]) -> ast.Module | None:
    """Returns a module with the function of `tree` called `name` that begins in `line`, as a coroutine function.

    It is nested in a function that has its `free` variables, and in a class if it is a method, because names depend on
    both. Returns None if the function is missing or not a plain function. Changes `tree`.
    """
    found = _find(tree.body, name, line, None)
    if found is None:
        return None
    function, owner = found
    awaiting = Awaiting()
    if isinstance(function, ast.Lambda):
        body: list[ast.stmt] = [ast.copy_location(ast.Return(awaiting.visit(function.body)), function.body)]
    else:
        body = [awaiting.visit(statement) for statement in function.body]
    arguments = _without_defaults(function.args)
    inner: ast.stmt = ast.AsyncFunctionDef(name, arguments, body, [], None, None)
    if hasattr(function, "type_params"):
        inner.type_params = []  # type: ignore[attr-defined]
    ast.copy_location(inner, function)
    if owner is not None:
        inner = ast.ClassDef(owner, [], [], [inner], [])
        if hasattr(function, "type_params"):
            inner.type_params = []
    assigned: list[ast.stmt] = [
        ast.Assign([ast.Name(variable, ast.Store())], ast.Constant(None)) for variable in free if variable != "__class__"
    ]
    # Neither the function's nor the class's name is a variable of `outer`, unless it was one around the function.
    outside = [known for known in (name, owner) if known is not None and known not in free]
    if outside:
        assigned.insert(0, ast.Global(outside))
    outer = ast.FunctionDef("outer", ast.arguments([], [], None, [], [], None, []), [*assigned, inner], [], None, None)
    if hasattr(function, "type_params"):
        outer.type_params = []
    return ast.fix_missing_locations(ast.Module([outer], []))


def _find(body: list[ast.stmt], name: str, line: int, owner: str | None) -> tuple[_Function, str | None] | None:
    """Returns the function, and the class around it. Returns None if it is not the only one of that name in its line."""
    found: list[tuple[_Function, str | None]] = []
    left: list[tuple[ast.AST, str | None]] = [(node, owner) for node in body]
    while left:
        node, owner = left.pop()
        if isinstance(node, ast.FunctionDef) and node.name == name:
            if min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) == line:
                found.append((node, owner))
        elif isinstance(node, ast.Lambda) and name == "<lambda>" and node.lineno == line:
            found.append((node, owner))
        inside = node.name if isinstance(node, ast.ClassDef) else owner
        left.extend((child, inside) for child in ast.iter_child_nodes(node))
    return found[0] if len(found) == 1 else None


def _without_defaults(arguments: ast.arguments) -> ast.arguments:
    """Returns the same parameters without defaults and annotations, which would be evaluated again."""
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if argument is not None:
            argument.annotation = None
    arguments.defaults = []
    arguments.kw_defaults = [None] * len(arguments.kwonlyargs)
    return arguments
