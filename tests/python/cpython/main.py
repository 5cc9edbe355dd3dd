"""The component that runs CPython's tests of asyncio's streams.

    main.wasm list                   the names of the tests
    main.wasm stock NAME             one of them with asyncio's own streams, on its own event loop
    main.wasm ours NAME              the same test with the streams of the component

A line says ``verdict: ok``, ``verdict: skipped: why`` or ``verdict: failed``; the reason of a failure is on the lines before.
"""

import asyncio
import socket
import sys
import unittest

import asyncio_streams

import driver
import runner
import suite


async def ours(case: unittest.TestCase) -> tuple[str, str]:
    driver.use(asyncio.get_running_loop())
    return await runner.run(case)


async def stock(case: unittest.TestCase) -> tuple[str, str]:
    """asyncio's own event loop, nested into the running one: the tests wait for nothing that needs the outer one."""
    asyncio_streams.uninstall()
    driver.use(asyncio.get_running_loop())
    with driver.no_loop():
        loop = asyncio.SelectorEventLoop()
        loop.getaddrinfo = look_up  # its own does it in a thread

        async def nested() -> tuple[str, str]:
            driver.use(loop)
            return await runner.run(case)

        return loop.run_until_complete(nested())


async def look_up(host, port, *, family=0, type=0, proto=0, flags=0):
    return socket.getaddrinfo(host, port, family, type, proto, flags)


async def main() -> None:
    match sys.argv[1:]:
        case ["list"]:
            print("\n".join(suite.cases()))
        case ["stock" | "ours" as mode, name]:
            verdict, reason = await {"stock": stock, "ours": ours}[mode](suite.cases()[name])
            if verdict == "skipped":
                verdict = f"skipped: {reason}"
            elif reason:
                print(reason)
            print(f"verdict: {verdict}")
        case words:
            sys.exit(f"{words}: not an order")


asyncio.run(main())
