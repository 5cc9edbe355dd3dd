"""Programs that wait at their top level."""

import ast
import asyncio
import unittest

from asyncio_streams import _rewrite


async def run(source):
    """Runs a program as a component would, with a helper that awaits what `blocking` gives; gives its names."""
    code = compile(
        _rewrite.rewrite(ast.parse(source)), "program", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
    )

    async def call(function, *args, **kwds):
        if function is asyncio.run:
            return await args[0]
        return function(*args, **kwds)

    names = {"__name__": "__main__", _rewrite.HELPER: call}
    result = eval(code, names)
    if result is not None:
        await result
    return names


class Rewriting(unittest.IsolatedAsyncioTestCase):
    async def test_a_program_without_asyncio_stays_as_it_is(self):
        names = await run(
            "x = 1\ndef run():\n    return 5\nclass A:\n    def run(self):\n        return 6\ny = run(), A().run()\n"
        )
        self.assertEqual((names["x"], names["y"]), (1, (5, 6)))

    async def test_the_top_level_in_all_its_places(self):
        names = await run(
            "import asyncio\n"
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
            "import asyncio, sys\n"
            "async def serve(n):\n    await asyncio.sleep(0)\n    return n\n"
            "def inner(n, *, k=1):\n    '''Its text.'''\n    return asyncio.run(serve(n)) + k\n"
            "def main() -> int:\n    if True:\n        return inner(1, k=2)\n"
            "found = main()\n"
            "def unused():\n    return asyncio.run(serve(9))\n"
        )
        self.assertEqual(names["found"], 3)
        self.assertEqual(names["inner"].__doc__, "Its text.")

    async def test_functions_that_are_more_than_called_stay_as_they_are(self):
        for use in (
            "keep = main",
            "lambda: main()",
            "[main() for _ in ()]",
            "class A:\n    main()" if False else "x = {'m': main}",
        ):
            tree = _rewrite.rewrite(ast.parse(f"import asyncio\ndef main():\n    asyncio.run(1)\nif 0: main()\n{use}\n"))
            self.assertIsInstance(tree.body[1], ast.FunctionDef, use)

    async def test_generators_and_decorated_functions_stay_as_they_are(self):
        for head in ("@cache\ndef main():\n    asyncio.run(1)", "def main():\n    asyncio.run(1)\n    yield"):
            tree = _rewrite.rewrite(ast.parse(f"{head}\nmain()\n"))
            self.assertIsInstance(tree.body[0], ast.FunctionDef, head)

    async def test_nested_functions_do_not_count(self):
        tree = _rewrite.rewrite(
            ast.parse("def main():\n    def later():\n        asyncio.run(1)\n    return later\nmain()\n")
        )
        self.assertIsInstance(tree.body[0], ast.FunctionDef)

    async def test_lines_are_kept(self):
        trace = None
        try:
            await run("import asyncio\n\nasync def main():\n    1 / 0\n\nasyncio.run(main())\n")
        except ZeroDivisionError as reason:
            trace = reason.__traceback__
        lines = []
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == "program":
                lines.append(trace.tb_lineno)
            trace = trace.tb_next
        self.assertEqual(lines, [6, 4])


if __name__ == "__main__":
    unittest.main()
