"""A host in Python for the loop: componentize-py's modules, the bindings that the loop uses, and the calls of exports.

It delivers events as the component model does, and fails where a host would trap.
"""

import asyncio
import contextlib
import contextvars
import enum
import importlib
import importlib.machinery
import itertools
import signal
import sys
import types
from dataclasses import dataclass
from typing import Any
from unittest import mock


@dataclass
class Ok:
    value: Any


@dataclass
class Err(Exception):
    value: Any


# The kinds of events, and the code of a call that has returned.
NONE, SUBTASK, STREAM_READ, CANCELLED = 0, 1, 2, 6
RETURNED = 2
# The waitable of the watch's reports.
REPORTS = 1
# The answers of an export.
EXIT, YIELD, WAIT = range(3)


class Export:
    """One call of an export."""

    def __init__(self, host, coroutine):
        self._host = host
        self.context = None
        host.running = self
        self._answer = host.loop.exports.first_poll(0, 0, coroutine)

    @property
    def returned(self):
        return self._answer == EXIT

    def deliver(self, *event):
        self._host.running = self
        self._answer = self._host.loop.exports.callback(*event)

    def next_event(self):
        """Returns the next event, or None if the call waits or has returned."""
        if self._answer == YIELD:
            return NONE, 0, 0
        if self.returned:
            return None
        kind, members = self._answer & 15, self._host.sets[self._answer >> 4]
        assert kind == WAIT
        ready = members & self._host.events.keys()
        if not ready:
            return None
        waitable = min(ready)
        return self._host.events.pop(waitable), waitable, RETURNED


class Host:
    """The waitables of a component, and the functions that it imports."""

    def __init__(self):
        self.loop = None
        self.exports = []
        self.running = None
        self.sets = {}
        # The kinds of events that were not delivered, and the results of calls that have ended.
        self.events = {}
        self.results = {}
        # The watch of each key; the watch that reports, and whether a read of its reports is pending.
        self.watches = {}
        self.reporter = None
        self.reads = False
        # How often the loop sent before the end of its turn, or at the end without another call.
        self.kicks = 0
        # The keys that are there in every turn, of the watch that reports.
        self.always = []
        # What the next read by number takes, and what writes by number took; whether they are refused.
        self.input = None
        self.output = []
        self.refuses = False
        # The waitable of the pending wait of the other watch.
        self.waiting = None
        # The signals that the component handles, and the waitable of its wait for one.
        self.handled = set()
        self.listening = None
        # The signal that has come, but is no event yet.
        self.come = None
        self._numbers = itertools.count(REPORTS + 1)

    # A test calls these methods.

    def call(self, coroutine):
        """Calls an export."""
        export = Export(self, coroutine)
        self.exports.append(export)
        self.deliver()
        return export

    def deliver(self):
        """Delivers events until all calls wait or have returned."""
        for _ in range(1000):
            events = ((export, export.next_event()) for export in self.exports)
            export, event = next((pair for pair in events if pair[1] is not None), (None, None))
            if (event is None or event[0] == NONE) and self.come is not None:
                self._tell()
                continue
            if event is None:
                return
            export.deliver(*event)
        raise AssertionError("the component never waits")

    def fire(self, *keys):
        """Makes the watches report these keys."""
        reported = [key for key in keys if self.watches[key] == self.reporter]
        returned = [key for key in keys if key not in reported]
        if reported:
            assert self.reads, "nothing waits for reports"
            self.reads = False
            self.end(REPORTS, STREAM_READ, (0, reported))
        if returned:
            waitable, self.waiting = self.waiting, None
            self.end(waitable, SUBTASK, Ok(returned))
        self.deliver()

    def send(self, number):
        """Sends the component a signal that it handles. It becomes an event when the component yields, or waits for nothing
        else."""
        self.come = Signal.INTERRUPT if number == signal.SIGINT else Signal.TERMINATE
        assert self.come in self.handled, "the signal would end the program"

    def _tell(self):
        case, self.come = self.come, None
        if case in self.handled:
            waitable, self.listening = self.listening, None
            self.end(waitable, SUBTASK, case)

    # The component calls these methods.

    def pending(self):
        """Begins a call of an import, which has to wait."""
        waitable = next(self._numbers)
        return Err((waitable, waitable))

    def end(self, waitable, kind, result):
        """Ends such a call."""
        self.events[waitable] = kind
        self.results[waitable] = result

    def call_import(self, number, arguments):
        if number == WAIT_NUMBER:
            assert self.waiting is None, "a watch has one wait"
            answer = self.pending()
            self.waiting = answer.value[0]
            return answer
        if number == KICK:
            self.kicks += 1
            return None
        if number == TRY_READ:
            return Ok(self.input)
        if number == WRITE:
            if self.refuses:
                return Err(Error_BufferFull())
            self.output.append(arguments[1])
            return Ok(None)
        assert number in (READY, AGAIN) and arguments[0] == self.reporter, number
        return Ok(self.always if number == READY else None)

    def add(self, watch, of, event, key):
        self.watches[key] = watch

    def remove(self, watch, key):
        assert self.watches.pop(key) == watch, "the watch has no such key"

    def stream_read(self, kind, handle, most):
        assert handle == REPORTS and not self.reads, "a stream has one read"
        self.reads = True
        return Err((REPORTS, REPORTS))

    def handle(self, case, handled):
        (self.handled.add if handled else self.handled.discard)(case)

    def listen(self):
        answer = self.pending()
        self.listening = answer.value[0]
        return answer

    def promise_get_result(self, event, promise):
        return self.results.pop(promise)

    def waitable_set_new(self):
        number = next(self._numbers)
        self.sets[number] = set()
        return number

    def waitable_set_drop(self, number):
        assert not self.sets.pop(number), "a set that is dropped has no members"

    def waitable_join(self, waitable, to):
        assert waitable, "there is no waitable 0"
        for members in self.sets.values():
            members.discard(waitable)
        if to:
            self.sets[to].add(waitable)

    def subtask_drop(self, waitable):
        self.waitable_join(waitable, 0)

    def context_set(self, value):
        self.running.context = value

    def context_get(self):
        return self.running.context


class Error_BufferFull:
    """The case of the interface's error."""


class Signal(enum.Enum):
    INTERRUPT = enum.auto()
    TERMINATE = enum.auto()


# The bindings of `numbers`. The loop looks for the runtime among the globals of these functions.
componentize_py_runtime: Any = None
READY, TRY_READ, WRITE, AGAIN, WAIT_NUMBER, KICK = 1, 2, 3, 4, 5, 6
current: Host


class Watch:
    def __init__(self):
        self._number = next(current._numbers)

    def number(self):
        return self._number

    async def wait(self):
        componentize_py_runtime.call_import(WAIT_NUMBER, [self])

    async def reports(self):
        current.reporter = self._number
        return types.SimpleNamespace(type_=0, handle=REPORTS, finalizer=mock.MagicMock())


def ready(number):
    componentize_py_runtime.call_import(READY, [number])


def again(number, key):
    componentize_py_runtime.call_import(AGAIN, [number, key])


def try_read(number, most):
    componentize_py_runtime.call_import(TRY_READ, [number, most])


def write(number, data):
    componentize_py_runtime.call_import(WRITE, [number, data])


def kick():
    componentize_py_runtime.call_import(KICK, [])


def _nothing(*arguments):
    pass


def _modules(host, signals):
    """Returns the modules of a component by their names; with `signals` its host tells of them."""
    made = {}

    def module(name, **names):
        made[name] = types.ModuleType(name)
        made[name].__spec__ = importlib.machinery.ModuleSpec(name, None)
        made[name].__dict__.update(names)

    state = contextvars.ContextVar("_future_state")

    async def return_result(export, borrows, coroutine):
        await coroutine
        state.get().pending_count -= 1

    async def wait_for(nanoseconds):
        await made["componentize_py_async_support"].await_result(host.pending())

    async def next_signal():
        return await made["componentize_py_async_support"].await_result(host.listen())

    def byte_stream():
        answer = host.pending()

        async def read(count):
            await made["componentize_py_async_support"].await_result(answer)

        async def send(data):
            host.end(answer.value[0], STREAM_READ, data)

        writer = mock.MagicMock()
        writer.write = send
        return writer, types.SimpleNamespace(read=read)

    functions = {name: getattr(host, name) for name in dir(host) if name.startswith(("waitable_", "context_"))}
    others = ("call_import", "promise_get_result", "stream_read", "subtask_drop")
    functions |= {name: getattr(host, name) for name in others}
    module("componentize_py_types", Ok=Ok, Err=Err)
    module("componentize_py_runtime", **functions)
    module("componentize_py_async_support", _future_state=state, _set_future_state=state.set, _return_result=return_result)
    module("wit_world", __path__=[], byte_stream=byte_stream)
    module("wit_world.imports", __path__=[])
    module("wit_world.imports.monotonic_clock", wait_for=wait_for)
    module("wit_world.imports.types", NetworkCode=object)
    names = dict.fromkeys(("open_connection", "ConnectOptions", "Wanted_Any", "Wanted_Exactly"), _nothing)
    module("wit_world.imports.streams", types=made["wit_world.imports.types"], **names)
    names = dict.fromkeys(("reader_number", "writer_number", "server_number"), _nothing)
    names |= {"add": host.add, "remove": host.remove, "try_accept": _nothing, "peek": _nothing}
    events = ("Readable", "Drained", "Flushed", "Closed", "Connection")
    names |= {f"Event_{name}": lambda *_, name=name: name for name in events}
    names |= {function.__name__: function for function in (ready, again, try_read, write, kick)}
    module("wit_world.imports.numbers", Watch=Watch, **names)
    if signals:
        module("wit_world.imports.signals", Signal=Signal, handle=host.handle, next=next_signal)
    return made


@contextlib.contextmanager
def component(signals=False):
    """Makes asyncio's loop that of a component, and returns its host; with `signals` one that tells of signals."""
    global componentize_py_runtime, current
    host = current = Host()
    package = importlib.import_module("asyncio_streams")
    hooks = sys.get_asyncgen_hooks()
    with mock.patch.dict(sys.modules, _modules(host, signals)), mock.patch.dict(vars(package)):
        componentize_py_runtime = sys.modules["componentize_py_runtime"]
        # Import the package's modules anew: they store the runtime's.
        for name in [name for name in sys.modules if name.startswith("asyncio_streams.")]:
            del sys.modules[name]
            vars(package).pop(name.rpartition(".")[2], None)
        host.loop = importlib.import_module("asyncio_streams._loop").take_over()
        try:
            yield host
        finally:
            # Its `close` does nothing: a component has one loop.
            host.loop._closed = True
            asyncio.events._set_running_loop(None)
            asyncio.set_event_loop(None)
            sys.set_asyncgen_hooks(*hooks)
