"""Makes CPython's tests of asyncio's streams run inside a component, without a changed file.

CPython's tests start the event loop themselves: ``loop.run_until_complete(x)``, repeatedly, from functions that are not async. In a
component the loop already runs, and cannot be entered a second time. Their modules are therefore rewritten while they are imported,
in the same way for asyncio's own streams and for this project's:

1. ``loop.run_until_complete(x)`` becomes ``await until_complete(loop, x)``, and ``asyncio.run(x)`` the same with the one loop. The
   functions around it become ``async def``, and so do those that call them, with an ``await`` before the call. ``driver.py`` replaces
   ``run_until_complete``: the test's own lines still run while no loop does.
2. ``assertRaises(E, loop.run_until_complete, x)`` becomes ``with assertRaises(E): await until_complete(loop, x)``.
3. ``asyncio.new_event_loop()`` and ``asyncio.SelectorEventLoop()`` return the one loop.
4. A component has no threads: code that starts one uses the process outside instead (``outside.py``).
5. Code that cannot run at import is skipped: looking for IPv6 and Unix sockets, checking that the platform has sockets, child watchers.
"""

import ast
import importlib.abc
import importlib.machinery
import inspect
import sys
import types

import driver
import elsewhere

# The modules whose tests start the loop, or that do so for tests.
REWRITTEN = {
    "test.test_asyncio.utils",
    "test.test_asyncio.functional",
    "test.test_asyncio.test_streams",
    "test.test_asyncio.test_server",
}
# Whether tests of Unix sockets run, if a socket can be bound. Set only when the modules are imported at run time.
unix_sockets = False
# unittest calls these by itself, and the runner awaits them.
CALLED_BY_THE_RUNNER = {"setUp", "tearDown"}
ENTRANCE = "run_until_complete"
LOOPS = {"new_event_loop", "SelectorEventLoop"}


def install(skipped_package: str = "test.test_asyncio") -> None:
    """Rewrites the tests' modules from now on.

    ``skipped_package`` is imported as an empty package: its own code skips all of its modules without subprocesses.
    """
    sys.meta_path.insert(0, _Finder(skipped_package))


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, empty: str) -> None:
        self._empty = empty

    def find_spec(self, name, path, target=None):
        if not name.startswith("test."):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or not isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            return spec
        if name == self._empty:
            spec.loader = _Empty(name, spec.loader.path)
        elif name in REWRITTEN:
            spec.loader = _Rewriting(name, spec.loader.path)
        elif name == "test.support.socket_helper":
            spec.loader = _WithoutProbes(name, spec.loader.path)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    # Compiled files would be mistaken for those of the unchanged source.
    def get_code(self, fullname):
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _Empty(_Loader):
    def source_to_code(self, data, path, *, _optimize=-1):
        return compile("", path, "exec")


class _WithoutProbes(_Loader):
    """Sockets that are opened while the component is made would be invalid when it runs."""

    def source_to_code(self, data, path, *, _optimize=-1):
        tree = ast.parse(data, path)
        found = set()
        for index, node in enumerate(tree.body):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                target = ast.unparse(node.targets[0])
                if target == "IPV6_ENABLED":
                    node.value = ast.Constant(False)
                    found.add(target)
        if "IPV6_ENABLED" not in found:
            raise ImportError("socket_helper has changed: it no longer sets IPV6_ENABLED")
        ast.fix_missing_locations(tree)
        return compile(tree, path, "exec")

    def exec_module(self, module):
        super().exec_module(module)
        if not unix_sockets:
            module._bind_nix_socket_error = "WASI has no Unix sockets"


class _Rewriting(_Loader):
    def source_to_code(self, data, path, *, _optimize=-1):
        tree = ast.parse(data, path)
        _Rewrite(_entering(tree) | _known).visit(tree)
        ast.fix_missing_locations(tree)
        return compile(tree, path, "exec")

    def exec_module(self, module):
        module.until_complete = driver.until_complete
        module.the_loop = driver.the_loop
        module.if_entering = _awaitable_if_entering
        super().exec_module(module)
        elsewhere.replace_threads(module)


# The names of such functions in the modules that were rewritten before; other modules import them.
_known: set[str] = set()


def _entering(tree: ast.AST) -> set[str]:
    """The names of the functions that start the loop, themselves or through one another."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    names: set[str] = set()
    while True:
        more = {node.name for node in functions if _enters(node, names | _known)} - names
        if not more:
            break
        names |= more
    _known.update(names - CALLED_BY_THE_RUNNER)
    return names


def _enters(function: ast.FunctionDef, names: set[str]) -> bool:
    for node in _own_nodes(function):
        if isinstance(node, ast.Attribute) and (node.attr == ENTRANCE or _is_run(node)):
            return True
        if isinstance(node, ast.Call) and _called(node) in names - CALLED_BY_THE_RUNNER:
            # Only names are known; a function of the standard library with the same name is not rewritten.
            return True
    return False


def _own_nodes(function):
    """The nodes of a function, without those of nested functions."""
    waiting = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            continue
        yield node
        waiting.extend(ast.iter_child_nodes(node))


def _is_run(node: ast.expr) -> bool:
    return ast.unparse(node) == "asyncio.run"


def _called(call: ast.Call) -> str | None:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return None


class _Rewrite(ast.NodeTransformer):
    def __init__(self, entering: set[str]) -> None:
        self._entering = entering
        self._in_async = False

    def visit_FunctionDef(self, node):
        becomes_async = _enters(node, self._entering)
        node = self._function(node, becomes_async)
        if not becomes_async:
            return node
        fields = {name: getattr(node, name) for name in node._fields}
        return ast.copy_location(ast.AsyncFunctionDef(**fields), node)

    def visit_AsyncFunctionDef(self, node):
        return self._function(node, True)

    def visit_Lambda(self, node):
        return self._function(node, False)

    def _function(self, node, is_async):
        outer, self._in_async = self._in_async, is_async
        self.generic_visit(node)
        self._in_async = outer
        return node

    def visit_Expr(self, node):
        # assertRaises(E, loop.run_until_complete, x)
        call = node.value
        if isinstance(call, ast.Call) and _called(call) == "assertRaises" and len(call.args) == 3:
            expected, entrance, awaited = call.args
            if isinstance(entrance, ast.Attribute) and entrance.attr == ENTRANCE:
                raises = ast.Call(call.func, [expected], [])
                waiting = _until_complete(entrance.value, self.visit(awaited))
                return ast.With([ast.withitem(raises)], [ast.Expr(waiting)])
        return self.generic_visit(node)

    def visit_Call(self, node):
        self.generic_visit(node)
        name = _called(node)
        if name == ENTRANCE:
            return _until_complete(node.func.value, node.args[0])
        if _is_run(node.func):
            return _until_complete(_the_loop(), node.args[0])
        if name in LOOPS and isinstance(node.func, ast.Attribute):
            return _the_loop()
        if self._in_async and name in self._entering - CALLED_BY_THE_RUNNER:
            return ast.Await(ast.Call(ast.Name("if_entering", ast.Load()), [node], []))
        return node


def _the_loop():
    return ast.Call(ast.Name("the_loop", ast.Load()), [], [])


def _until_complete(loop, awaited):
    return ast.Await(ast.Call(ast.Name("until_complete", ast.Load()), [loop, awaited], []))


async def _awaitable_if_entering(value):
    """Awaits the result of a function that may be a rewritten one: only its name is known."""
    if isinstance(value, types.CoroutineType) and inspect.getcoroutinestate(value) == inspect.CORO_CREATED:
        return await value
    return value
