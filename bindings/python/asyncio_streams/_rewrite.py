"""Programs that wait at their top level: `asyncio.run(main())` as `await`.

Only the host can wait, so nothing inside a component can block. But the code of a module can be a coroutine: every call
there of something named `run`, `run_until_complete` or `run_forever` is awaited, if it turns out to be asyncio's. The same
is done to the module's own plain functions, as long as they are only called, and only from such places:

    def main():                      async def main():
        asyncio.run(serve())             await call_blocking(asyncio.run, serve())

    main()                           await main()
"""

from __future__ import annotations

import ast

HELPER = "__asyncio_streams_call__"
_NAMES = frozenset({"run", "run_until_complete", "run_forever"})
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def rewrite(tree: ast.Module) -> ast.Module:
    """The same program, awaiting what would block. Changes `tree`."""
    names = {*_NAMES, *_imported(tree)}
    functions = _blocking_functions(tree, names)
    _Awaiting(names, functions).visit(tree)
    return ast.fix_missing_locations(tree)


def _imported(tree: ast.Module) -> set[str]:
    """The names that the program has given to asyncio.run."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("asyncio", "asyncio.runners")
        for alias in node.names
        if alias.name == "run"
    }


def _own_nodes(body: list[ast.stmt]) -> list[ast.AST]:
    """All that `body` runs itself, without what nested functions, classes and comprehensions do."""
    found: list[ast.AST] = []
    left: list[ast.AST] = list(body)
    while left:
        node = left.pop()
        found.append(node)
        if not isinstance(node, _SCOPES + _COMPREHENSIONS):
            left.extend(ast.iter_child_nodes(node))
    return found


def _calls(body: list[ast.stmt], names: set[str] | frozenset[str]) -> bool:
    return any(isinstance(node, ast.Call) and _called(node) in names for node in _own_nodes(body))


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _blocking_functions(tree: ast.Module, names: set[str]) -> set[str]:
    """The module's functions that block and can be awaited instead."""
    candidates: dict[str, ast.FunctionDef] = {}
    for node in _own_nodes(tree.body):
        if isinstance(node, ast.FunctionDef):
            if node.name in candidates or node.decorator_list or _yields(node):
                candidates.pop(node.name, None)
            else:
                candidates[node.name] = node
    blocking: set[str] = set()
    while True:
        more = {
            name
            for name, function in candidates.items()
            if name not in blocking and (_calls(function.body, names) or _calls_plainly(function.body, blocking))
        }
        if not more:
            break
        blocking |= more
    while True:
        places = [tree.body, *(candidates[name].body for name in blocking)]
        fine = {name for name in blocking if _only_called(tree, name, places)}
        if fine == blocking:
            return fine
        blocking = fine


def _calls_plainly(body: list[ast.stmt], names: set[str]) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names for node in _own_nodes(body)
    )


def _yields(function: ast.FunctionDef) -> bool:
    return any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in _own_nodes(function.body))


def _only_called(tree: ast.Module, name: str, places: list[list[ast.stmt]]) -> bool:
    """Whether each use of `name` in the program is a call that can be awaited."""
    uses = sum(isinstance(node, ast.Name) and node.id == name for node in ast.walk(tree))
    calls = sum(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
        for place in places
        for node in _own_nodes(place)
    )
    return uses == calls


class _Awaiting(ast.NodeTransformer):
    """Awaits the calls at the top level, and in the functions named."""

    def __init__(self, names: set[str], functions: set[str]) -> None:
        self._names = names
        self._functions = functions

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in self._functions:
            return ast.copy_location(ast.Await(node), node)
        if _called(node) not in self._names:
            return node
        helper = ast.copy_location(ast.Name(HELPER, ast.Load()), node)
        call = ast.Call(helper, [node.func, *node.args], node.keywords)
        return ast.copy_location(ast.Await(ast.copy_location(call, node)), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if node.name not in self._functions:
            return node
        node.body = [self.visit(statement) for statement in node.body]
        fields = {name: getattr(node, name) for name in node._fields if hasattr(node, name)}
        return ast.copy_location(ast.AsyncFunctionDef(**fields), node)

    def _leave_alone(self, node: ast.AST) -> ast.AST:
        return node

    visit_AsyncFunctionDef = visit_Lambda = visit_ClassDef = _leave_alone
    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _leave_alone
