"""Programs that wait at their top level, and the plain functions that block."""

import ast
import asyncio
import functools
import linecache
import sys
import types
import unittest

from asyncio_streams import _rewrite, _twins


async def _await(main):
    return await main


_twins.install({asyncio.run: _await}, (sys.prefix, sys.base_prefix))


def module(name, source):
    """A module that looks imported."""
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    made = types.ModuleType(name.removesuffix(".py").replace("/", "."))
    exec(compile(source, name, "exec", dont_inherit=True), made.__dict__)
    return made


async def run(source, into=None, /, **names):
    """Runs a program as a component does, with asyncio.run awaited; returns its globals, which are `into`."""
    linecache.cache["program"] = (len(source), None, source.splitlines(True), "program")
    code = compile(
        _rewrite.rewrite(ast.parse(source)), "program", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
    )
    given = {"__name__": "__main__", "asyncio": asyncio, **names}
    names = {} if into is None else into
    names.update(given)
    result = eval(code, names)
    if result is not None:
        await result
    return names


class Proxy:
    """As those of werkzeug and quart, outside of a request."""

    def __getattribute__(self, name):
        raise RuntimeError("Working outside of request context")


class Rewriting(unittest.IsolatedAsyncioTestCase):
    async def test_a_program_without_asyncio_is_unchanged(self):
        names = await run(
            "x = 1\ndef run():\n    return 5\nclass A:\n    def run(self):\n        return 6\ny = run(), A().run()\n"
        )
        self.assertEqual((names["x"], names["y"]), (1, (5, 6)))

    async def test_every_kind_of_statement_at_the_top_level(self):
        names = await run(
            "from asyncio import run as go\n"
            "async def main(n):\n    await asyncio.sleep(0)\n    return n\n"
            "found = []\n"
            "for n in range(2):\n    found.append(asyncio.run(main(n)))\n"
            "try:\n    found.append(go(main(2)))\nfinally:\n    found.append(asyncio.run(main(3)))\n"
            "if __name__ == '__main__':\n    found += [asyncio.run(main=main(4)) if False else go(main(4))]\n"
        )
        self.assertEqual(names["found"], [0, 1, 2, 3, 4])

    async def test_plain_functions_that_block(self):
        names = await run(
            "async def serve(n):\n    await asyncio.sleep(0)\n    return n\n"
            "def inner(n, *, k=1, **more):\n    '''Its text.'''\n    return asyncio.run(serve(n)) + k\n"
            "def main(n: int = 1) -> int:\n    if True:\n        return inner(n, k=2)\n"
            "found = main()\n"
            "kept = {'m': main}\n"
            "found += kept['m'](10)\n"
        )
        self.assertEqual(names["found"], 15)
        self.assertEqual(names["inner"].__doc__, "Its text.")

    async def test_functions_of_libraries_at_any_depth(self):
        inner = module("inner.py", "import asyncio\ndef finish(x):\n    return asyncio.run(x)\n")
        library = module(
            "library.py",
            "def decorated(function):\n"
            "    def call(*args):\n        return function(*args) + 1\n"
            "    return call\n"
            "class Server:\n"
            "    __place = 100\n"
            "    def __init__(self, n):\n        self.n = n\n        Server.made = True\n"
            "    def run(self, what):\n"
            "        assert Server.made\n"
            "        try:\n            return inner.finish(what(self.n)) + self.__place\n"
            "        finally:\n            self.n = None\n"
            "    @classmethod\n    def run_one(cls, what):\n        return cls(7).run(what)\n"
            "class Below(Server):\n"
            "    def run(self, what):\n        return 1000 + super().run(what)\n"
            "@decorated\n"
            "def serve(what):\n    server = Below(5)\n    return server.run(what)\n",
        )
        library.inner = inner
        names = await run(
            "async def main(n):\n    await asyncio.sleep(0)\n    return n\n"
            "found = [library.serve(main), library.Below.run_one(main), later(main)]\n",
            library=library,
            later=functools.partial(library.serve),
        )
        self.assertEqual(names["found"], [1106, 1107, 1106])

    async def test_lambdas_and_functions_inside_functions(self):
        names = await run(
            "async def serve(n):\n    await asyncio.sleep(0)\n    return n\n"
            "go = lambda n, k=1: asyncio.run(serve(n)) + k\n"
            "def choose():\n    return {'a': lambda: asyncio.run(serve(10)),\n            'b': lambda: go(20)}\n"
            "def both():\n    chosen = choose()\n    return chosen['a'](), chosen['b']()\n"
            "class Called:\n    def __call__(self):\n        return asyncio.run(serve(30))\n"
            "def indirect():\n    return Called()()\n"
            "found = [go(1), *both(), indirect()]\n"
        )
        self.assertEqual(names["found"], [2, 10, 21, 30])

    async def test_libraries_that_call_the_programs_functions(self):
        library = module(
            "commands/core.py",
            "class Context:\n"
            "    def __init__(self, command):\n        self.command = command\n"
            "    def invoke(self, callback, **given):\n        return callback(**given)\n"
            "class Command:\n"
            "    def __init__(self, callback):\n        self.callback = callback\n"
            "    def __call__(self, *args):\n        return self.main(*args)\n"
            "    def main(self, *args):\n        return finish(self.invoke(Context(self)))\n"
            "    def invoke(self, context):\n        return context.invoke(self.callback, n=4)\n"
            "class Group(Command):\n"
            "    def __init__(self):\n        self.commands = {}\n"
            "    def command(self, function):\n        made = self.commands[function.__name__] = Command(function)\n"
            "        return made\n"
            "    def invoke(self, context):\n        return self.commands['go'].invoke(Context(self))\n"
            "class Table(dict):\n"
            "    def dispatch(self, name, n):\n        return self[name](n)\n"
            "class Registry:\n"
            "    functions = {}\n"
            "    def dispatch(self, name, n):\n        return self.functions[name](n)\n"
            "def finish(x):\n    return x + 1\n"
            "def call(function, n=0):\n    return step(function, n)\n"
            "def step(function, n):\n    return function(n)\n"
            "def plain(function):\n    import sys\n    return sys._getframe(1).f_code.co_name\n",
        )
        program = (
            "async def serve(n):\n    await asyncio.sleep(0)\n    return n\n"
            "def go(n):\n    return asyncio.run(serve(n))\n"
            "group = library.Group()\n"
            "command = group.command(go)\n"
            "library.Registry.functions['go'] = go\n"
        )
        for call, expected in (
            ("command()", 5),
            ("group()", 5),
            ("library.call(go, n=6)", 6),
            ("library.call(function=go)", 0),
            ("library.call(len, [1, 2])", 2),
            ("library.Table(go=go).dispatch('go', 7)", 7),
            ("library.Registry().dispatch('go', 8)", 8),
            ("library.plain(len)", "<module>"),
            ("library.call(type, proxy).__name__", "Proxy"),
        ):
            names = await run(f"{program}found = {call}\n", library=library, proxy=Proxy())
            self.assertEqual(names["found"], expected, call)
            _twins._callers.clear()

    async def test_arguments_are_evaluated_in_pythons_order(self):
        functions = (
            "found = []\n"
            "def show(*given, **named):\n    found.append((given, named))\n    return given\n"
            "def setup(name='config', value=7):\n    found.append(name)\n    globals()[name] = value\n    return name\n"
            "class Lazy:\n"
            "    def __iter__(self):\n        setup()\n        return iter('ab')\n"
            "    def keys(self):\n        setup()\n        return ['key']\n"
            "    def __getitem__(self, key):\n        return key\n"
            "    @property\n    def attribute(self):\n        return setup()\n"
            "lazy, known, run = Lazy(), 1, None\n"
        )
        calls = (
            "show(n := 10, n)",
            "show(setup(), config)",
            "show(*lazy, config)",
            "show(known, *lazy, key=config)",
            "show(lazy.attribute, known, key=config)",
            "show(key=setup(), other=config)",
            "show(**lazy, other=config)",
            "show(known, 1, one=known, **lazy)",
            # Names that are not bound.
            "missing(absent, setup())",
            "show(known, absent, setup())",
            "show(setup(), absent, other)",
            "show(key=absent, *lazy)",
            "show(known, key=absent, **lazy)",
            "show(*lazy, **absent)",
        )

        async def outcome(program, execute):
            names = {}
            try:
                await execute(program, names)
            except NameError as reason:
                return names["found"], str(reason), lines(reason, "program")
            return names["found"]

        async def natively(program, names):
            exec(compile(program, "program", "exec", dont_inherit=True), names)

        for call in calls:
            # At the top level, and in a function that is compiled again.
            for text in (call, f"def twin():\n    {call}\n    run\ntwin()"):
                with self.subTest(text):
                    program = f"{functions}{text}\n"
                    self.assertEqual(await outcome(program, run), await outcome(program, natively))

    async def test_exceptions_pass_through_with_their_lines(self):
        library = module(
            "raising.py",
            "import asyncio\n"
            "def run(x):\n    try:\n        asyncio.run(x)\n    except KeyError:\n        raise ValueError\n",
        )
        source = "async def main():\n    {}['x']\n\nlibrary.run(main())\n"
        try:
            await run(source, library=library)
        except ValueError as error:
            self.assertEqual(lines(error, "raising.py"), [6])
            self.assertEqual(lines(error.__context__, "raising.py"), [4])
            self.assertEqual(lines(error.__context__, "program"), [2])
        else:
            self.fail("nothing was raised")

    async def test_functions_that_cannot_wait_are_called_unchanged(self):
        refused = []

        def refuse(main):
            main.close()
            refused.append(1)

        names = await run(
            "async def main():\n    pass\n"
            "def block(_):\n    stock(main())\n    asyncio.run\n"
            "list(map(block, [1]))\n[block(n) for n in [1]]\n",
            stock=refuse,
        )
        self.assertEqual(len(refused), 2)
        self.assertTrue(asyncio.iscoroutinefunction(names["main"]))

    async def test_functions_find_the_frames_of_their_callers(self):
        names = await run(
            "import sys\n"
            "def who():\n    return sys._getframe(1).f_code.co_filename\n"
            "found = who()\nx = sorted(locals())[-1]\n"
        )
        self.assertEqual((names["found"], names["x"]), ("program", "who"))

    async def test_generators_stay_generators(self):
        names = await run("def run():\n    yield 1\n    asyncio.run\nfound = list(run())\n")
        self.assertEqual(names["found"], [1])

    async def test_lines_are_kept(self):
        try:
            await run("\n\nasync def main():\n    1 / 0\n\nasyncio.run(main())\n")
        except ZeroDivisionError as reason:
            self.assertEqual(lines(reason, "program"), [6, 4])


def lines(error, file):
    """Returns the lines of `file` through which an exception has passed."""
    found, trace = [], error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            found.append(trace.tb_lineno)
        trace = trace.tb_next
    return found


if __name__ == "__main__":
    unittest.main()
