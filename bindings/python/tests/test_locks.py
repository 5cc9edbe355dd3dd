"""The locks of a program with one thread, compared with Python's own."""

import _queue
import _thread
import contextlib
import importlib
import pickle
import queue
import threading
import unittest
from concurrent import futures
from unittest import mock

from .host import component


def endless_waits():
    """Returns calls that wait for ever where no other thread runs, by their names."""
    held = threading.Lock()
    held.acquire()
    condition = threading.Condition()
    condition.acquire()
    empty, full = queue.Queue(), queue.Queue(1)
    full.put(1)
    empty.unfinished_tasks = 1
    return {
        "Lock.acquire": held.acquire,
        "with Lock": held.__enter__,
        "Lock of a Condition": threading.Condition(held).acquire,
        "Condition.wait": condition.wait,
        "Condition.wait_for": lambda: condition.wait_for(lambda: False),
        "Event.wait": threading.Event().wait,
        "Semaphore.acquire": threading.Semaphore(0).acquire,
        "BoundedSemaphore.acquire": threading.BoundedSemaphore(0).acquire,
        "Barrier.wait": threading.Barrier(2).wait,
        "Queue.get": empty.get,
        "Queue.put": lambda: full.put(2),
        "Queue.join": empty.join,
        "LifoQueue.get": queue.LifoQueue().get,
        "SimpleQueue.get": queue.SimpleQueue().get,
        "Future.result": futures.Future().result,
        "futures.wait": lambda: futures.wait([futures.Future()]),
        "_thread.allocate_lock": lambda: [lock.acquire() for lock in [_thread.allocate_lock()] * 2],
    }


def timed_waits():
    """Returns calls that wait for 0.25 s and find nothing, by their names, each with its result."""
    held = threading.Lock()
    held.acquire()
    condition = threading.Condition()
    condition.acquire()
    full = queue.Queue(1)
    full.put(1)
    return {
        "Lock.acquire": (lambda: held.acquire(timeout=0.25), False),
        "Condition.wait": (lambda: condition.wait(0.25), False),
        "Event.wait": (lambda: threading.Event().wait(0.25), False),
        "Semaphore.acquire": (lambda: threading.Semaphore(0).acquire(timeout=0.25), False),
        "Barrier.wait": (lambda: threading.Barrier(2, timeout=0.25).wait(), threading.BrokenBarrierError),
        "Queue.get": (lambda: queue.Queue().get(timeout=0.25), queue.Empty),
        "Queue.put": (lambda: full.put(2, timeout=0.25), queue.Full),
        "SimpleQueue.get": (lambda: queue.SimpleQueue().get(timeout=0.25), queue.Empty),
        "Future.result": (lambda: futures.Future().result(0.25), futures.TimeoutError),
    }


class Locks(unittest.TestCase):
    def setUp(self):
        host = contextlib.ExitStack()
        host.enter_context(component())
        self.addCleanup(host.close)
        for module in (_thread, threading, queue, _queue):
            self.enterContext(mock.patch.dict(vars(module)))
        self.stock = threading.Lock
        self.locks = importlib.import_module("asyncio_streams._locks")
        self.locks.install()

    def test_an_endless_wait_is_an_error_with_the_reason_and_the_remedy(self):
        for name, wait in endless_waits().items():
            with self.subTest(name), self.assertRaisesRegex(RuntimeError, "one thread.*asyncio.Lock.*timeout"):
                wait()

    def test_a_wait_with_a_timeout_sleeps(self):
        for name, (wait, result) in timed_waits().items():
            # The clock runs only while the program sleeps.
            now = [100.0]

            def sleep(seconds, now=now):
                now[0] += seconds

            def clock(now=now):
                return now[0]

            times = mock.patch("threading._time", clock), mock.patch("queue.time", clock), mock.patch("time.sleep", sleep)
            with self.subTest(name), times[0], times[1], times[2]:
                if isinstance(result, type):
                    self.assertRaises(result, wait)
                else:
                    self.assertIs(wait(), result)
                self.assertEqual(now[0], 100.25)

    def test_nothing_waits_for_what_is_free(self):
        lock = threading.Lock()
        with mock.patch("time.sleep", side_effect=AssertionError):
            for arguments in ((), (True,), (False,), (True, 5), (True, -1), (1, 0)):
                self.assertIs(lock.acquire(*arguments), True)
                self.assertTrue(lock.locked())
                self.assertIs(lock.acquire(False), False)
                lock.release()
            with lock as held:
                self.assertIs(held, True)
            self.assertFalse(lock.locked())
            event = threading.Event()
            event.set()
            self.assertTrue(event.wait())
            filled = queue.SimpleQueue()
            filled.put(1)
            self.assertEqual(filled.get(), 1)

    def test_mistakes_are_pythons_own_errors(self):
        def outcome(mistake, lock):
            try:
                return mistake(lock)
            except Exception as reason:
                return type(reason), str(reason)

        mistakes = [
            lambda lock: lock.acquire(False, 5),
            lambda lock: lock.acquire(True, -2),
            lambda lock: lock.acquire(True, "x"),
            lambda lock: lock.acquire(True, 1e40),
            lambda lock: lock.release(),
            lambda lock: type("Lock", (type(lock),), {}),
            pickle.dumps,
        ]
        for mistake in mistakes:
            self.assertEqual(outcome(mistake, threading.Lock()), outcome(mistake, self.stock()))
        self.assertIsInstance(threading.Lock(), _thread.LockType)
        self.assertRegex(repr(threading.Lock()), "^<unlocked _thread.lock object at 0x")


if __name__ == "__main__":
    unittest.main()
