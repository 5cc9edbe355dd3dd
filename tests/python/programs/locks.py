"""Locks of threads in a program with one: what is free is there at once, and a wait with a timeout sleeps.

    locks.py [endless]

With `endless` it waits without a timeout, which natively never ends.
"""

import concurrent.futures
import queue
import sys
import threading
import time

from shared import attempt

SECONDS = 0.05


def timed(wait, *arguments, **keywords):
    """Prints the result of a wait, and whether it slept."""
    before = time.monotonic()
    found = attempt(lambda: wait(*arguments, **keywords))
    print(found, time.monotonic() - before >= SECONDS * 0.99)


def waits():
    """Returns the calls that wait here, by name: functions that take a timeout."""
    held, condition, full = threading.Lock(), threading.Condition(), queue.Queue(1)
    held.acquire()
    condition.acquire()
    full.put(1)
    return {
        "lock": lambda timeout=-1: held.acquire(timeout=timeout),
        "condition": condition.wait,
        "event": threading.Event().wait,
        "semaphore": lambda timeout=None: threading.Semaphore(0).acquire(timeout=timeout),
        "barrier": threading.Barrier(2).wait,
        "get": lambda timeout=None: queue.Queue().get(timeout=timeout),
        "put": lambda timeout=None: full.put(2, timeout=timeout),
        "simple queue": lambda timeout=None: queue.SimpleQueue().get(timeout=timeout),
        "future": concurrent.futures.Future().result,
    }


def free():
    """Prints the results of calls that do not wait."""
    lock, reentrant = threading.Lock(), threading.RLock()
    with lock:
        print(lock.locked(), lock.acquire(False), lock.acquire(blocking=False))
    with reentrant, reentrant:
        print(reentrant.acquire(timeout=1), reentrant.release())
    print(lock.locked(), lock.acquire(timeout=5), lock.release(), attempt(lock.release), attempt(reentrant.release))
    full = queue.Queue()
    full.put(1)
    print(full.get(), attempt(full.get_nowait), threading.Event().is_set())
    print(threading.Barrier(1).wait(), threading.BoundedSemaphore(2).acquire())
    thread = threading.Thread(target=print)
    print(attempt(thread.join), attempt(threading.current_thread().join))
    time.sleep(0)
    timed(time.sleep, SECONDS)
    print(attempt(time.sleep, -1))


free()
if sys.argv[1:] == ["endless"]:
    for name, wait in waits().items():
        try:
            wait()
        except RuntimeError as reason:
            print(f"{name}: {reason}")
    try:
        threading.Thread(target=print).start()
    except RuntimeError as reason:
        print(f"thread: {reason}")
else:
    for name, wait in waits().items():
        print(name, end=" ")
        timed(wait, timeout=SECONDS)
