"""Entry points of libraries, which run a loop internally, and plain functions of the program that do."""

import asyncio
import functools

from library import running


async def work(value, tries=None):
    await asyncio.sleep(0.01)
    if tries:
        raise tries.pop()
    return value


async def endless():
    try:
        await asyncio.sleep(1000)
    finally:
        print("endless was cancelled")


async def serving():
    endlessly = asyncio.create_task(endless())
    await asyncio.sleep(0)
    return endlessly.done()


def main(value=4):
    found = running.serve(work(value))

    def inner():
        return asyncio.run(work(found))

    return inner()


print(running.serve(work(1)))
print(running.run_app(serving()))
print(running.run(work, 3))
print(running.run(work, 3, [KeyError("once")]))
print(main(), functools.partial(main, value=5)())
try:
    running.serve(work(1, [ValueError("raised inside")]))
except ValueError as error:
    print("caught", error)
for entry in [running.serve, running.run_app]:
    print(entry(work(entry.__name__)))
go = lambda value: asyncio.run(work(value))  # noqa: E731
print(go("lambda"), running.call(go, "argument"))
commands = running.Commands()
commands.add(lambda: asyncio.run(work("command")))
print(commands())
for make in (asyncio.new_event_loop, asyncio.SelectorEventLoop):
    loop = make()
    print(loop.run_until_complete(work(make.__name__ != "")))
    loop.close()
print(running.finished())
