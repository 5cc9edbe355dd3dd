"""Signals, one topic a run; stock CPython prints the same lines.

    signals.py MATTER

The topics of `matters` raise their signals themselves. Those of `told` print a line with `ready` for each signal that
they wait for, or with `busy` if it should come while they compute.
"""

import asyncio
import os
import signal
import socket
import sys
import time

from shared import attempt

INT, TERM = signal.SIGINT, signal.SIGTERM


def show(number, frame):
    print("handler", signal.Signals(number).name, frame is not None)


def handlers():
    """Python's functions, outside a loop."""
    print([getattr(found, "name", "") or found.__name__ for found in map(signal.getsignal, (INT, TERM, signal.SIGPIPE))])
    print(attempt(signal.raise_signal, INT))
    print(signal.signal(INT, show) is signal.default_int_handler, signal.getsignal(INT) is show)
    signal.raise_signal(INT)
    for number in (TERM, signal.SIGHUP, signal.SIGUSR1):
        print(signal.signal(number, show) is signal.SIG_DFL)
        signal.raise_signal(number)
        print(signal.signal(number, signal.SIG_IGN) is show, signal.raise_signal(number))
        print(signal.signal(number, signal.SIG_DFL) is signal.SIG_IGN)
    print(signal.signal(INT, lambda number, frame: 1 / 0) is show, attempt(signal.raise_signal, INT))
    print(signal.raise_signal(signal.SIGCHLD), signal.raise_signal(signal.SIGWINCH))
    for arguments in ((INT, None), (INT, 5), (0, show), (1000, show), (signal.SIGKILL, show), ("INT", show), (INT,)):
        print([part for part in arguments if part is not show], attempt(signal.signal, *arguments))
    print(attempt(signal.raise_signal, "INT"), attempt(signal.getsignal, 1000))
    print(signal.strsignal(INT), {INT, TERM} <= signal.valid_signals(), hasattr(signal, "no_such_name"))


async def sleeping():
    try:
        await asyncio.sleep(1000)
    except asyncio.CancelledError:
        print("cancelled", asyncio.current_task().cancelling())
        raise


async def interrupted():
    """SIGINT cancels the main task first."""
    print(signal.getsignal(INT) is signal.default_int_handler, signal.raise_signal(INT))
    await sleeping()


def ran(coroutine):
    try:
        return asyncio.run(coroutine)
    except BaseException as error:
        return type(error).__name__


def runs():
    """SIGINT in asyncio.run, and in loops that run without it."""
    print(ran(interrupted()), signal.getsignal(INT) is signal.default_int_handler)
    print(ran(catching()))
    loop = asyncio.new_event_loop()
    loop.call_soon(signal.raise_signal, INT)
    try:
        loop.run_until_complete(asyncio.sleep(1000))
    except KeyboardInterrupt:
        print("interrupted", loop.run_until_complete(asyncio.sleep(0, "it runs again")))
    loop.call_soon(signal.raise_signal, INT)
    try:
        loop.run_forever()
    except KeyboardInterrupt:
        print("interrupted")
    signal.signal(INT, show)
    print(ran(keeping()), signal.signal(INT, signal.default_int_handler) is show)
    print(ran(leaving()))


async def catching():
    signal.raise_signal(INT)
    try:
        await sleeping()
    except asyncio.CancelledError:
        print(attempt(signal.raise_signal, INT))
    return "not interrupted"


async def keeping():
    """A handler of the program's own stays."""
    print(signal.getsignal(INT) is show)
    signal.raise_signal(INT)
    await asyncio.sleep(0)
    return "kept"


async def leaving():
    """An exception of a handler passes through the code that runs."""

    def leave(number, frame):
        raise SystemExit(3)

    signal.signal(TERM, leave)
    print(attempt(signal.raise_signal, TERM), signal.signal(TERM, signal.SIG_DFL) is leave)
    asyncio.get_running_loop().call_soon(signal.raise_signal, INT)
    await sleeping()


def wakeup():
    """The descriptor that a signal writes to."""
    asyncio.run(waking())


async def waking():
    ours, other = socket.socketpair()
    for each in (ours, other):
        each.setblocking(False)
    print(signal.set_wakeup_fd(other.fileno(), warn_on_full_buffer=False), attempt(signal.set_wakeup_fd, "x"))
    signal.signal(TERM, show)
    signal.raise_signal(TERM)
    print(await asyncio.get_running_loop().sock_recv(ours, 10) == bytes([TERM]))
    print(signal.set_wakeup_fd(-1) == other.fileno(), signal.set_wakeup_fd(-1))
    signal.signal(TERM, signal.SIG_DFL)
    ours.close()
    other.close()


# Others send the signals of these.


def say(line):
    """Writes a line at once, and without the lock of `print`: a handler of the signal that it asks for may print too."""
    sys.stdout.flush()
    os.write(1, f"{line}\n".encode())


def say_ready():
    """Writes the line while no task runs, which a signal would interrupt too."""
    asyncio.get_running_loop().call_soon(say, "ready")


async def until_cancelled(tries=1):
    try:
        for number in range(tries):
            try:
                say_ready()
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                if number == tries - 1:
                    raise
    finally:
        print("cleaned up")


async def until_stopped(add):
    stop = asyncio.Event()
    add(asyncio.get_running_loop(), stop)
    say_ready()
    await stop.wait()
    return "stopped"


def default():
    asyncio.run(until_cancelled())


def caught():
    try:
        asyncio.run(until_cancelled())
    except KeyboardInterrupt as error:
        print("caught", type(error.__context__).__name__)


def goes_on():
    asyncio.run(until_cancelled(2))


def plain_loop():
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(until_cancelled())
    except KeyboardInterrupt:
        print("caught", len(asyncio.all_tasks(loop)))
    print(loop.run_until_complete(asyncio.sleep(0.01, "it runs again")))


def handler():
    def add(loop, stop):
        signal.signal(TERM, lambda number, frame: (show(number, frame), loop.call_soon_threadsafe(stop.set)))
        signal.signal(INT, lambda number, frame: say("ready again"))

    print(asyncio.run(until_stopped(add)))


def callback():
    def add(loop, stop):
        loop.add_signal_handler(INT, lambda: say("ready again"))
        loop.add_signal_handler(TERM, lambda: (print("last", loop.remove_signal_handler(TERM)), stop.set()))

    print(asyncio.run(until_stopped(add)))


def exits():
    def leave(number, frame):
        raise SystemExit(3)

    signal.signal(TERM, leave)
    asyncio.run(until_cancelled())


def raises():
    def fail(number, frame):
        raise ValueError("of the handler")

    signal.signal(TERM, fail)
    asyncio.run(until_cancelled())


def captured():
    """As uvicorn: the signal ends the loop, and then has its usual effect."""
    seen = []
    before = signal.signal(TERM, lambda number, frame: seen.append(number))

    async def main():
        say_ready()
        while not seen:
            await asyncio.sleep(0.01)
        print("shut down", flush=True)

    asyncio.run(main())
    signal.signal(TERM, before)
    signal.raise_signal(seen.pop())


def ignored():
    signal.signal(INT, signal.SIG_IGN)
    signal.signal(TERM, signal.default_int_handler)
    asyncio.run(until_cancelled())


async def last_turn(stopped):
    """Ends in the turn in which a signal comes. A component cannot notice that, so it computes for a while."""
    say("busy")
    until = time.monotonic() + 2
    while time.monotonic() < until and not stopped():
        pass
    return "ended"


def late():
    try:
        print(asyncio.run(last_turn(lambda: asyncio.current_task().cancelling())))
    except KeyboardInterrupt as error:
        print("caught", type(error.__context__).__name__)


def late_loop():
    loop = asyncio.new_event_loop()
    try:
        print(loop.run_until_complete(last_turn(lambda: False)))
    except KeyboardInterrupt:
        print("caught", len(asyncio.all_tasks(loop)))


def late_handler():
    seen = []
    signal.signal(TERM, lambda number, frame: seen.append(number))
    print(asyncio.run(last_turn(lambda: seen)), seen == [TERM])


matters = [handlers, runs, wakeup]
told = [default, caught, goes_on, plain_loop, handler, callback, exits, raises, captured, ignored, late, late_loop, late_handler]
{matter.__name__.replace("_", "-"): matter for matter in (*matters, *told)}[sys.argv[1]]()
