"""The bindings of the interfaces that the component imports."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType
from typing import Any

from ._outside import NotInComponentError

_running = False


def streams() -> ModuleType:
    """Returns the bindings of `asyncio:streams/streams`.

    Raises NotInComponentError where there are none.
    """
    if importlib.util.find_spec("componentize_py_runtime") is None:
        raise NotInComponentError(
            "asyncio_streams.install() is for programs inside a WebAssembly component, which this is not; "
            "here asyncio's own streams work. `python -m asyncio_streams.build` makes a component of a program"
        )
    return _imported("streams", "open_connection")


def numbers() -> ModuleType:
    """Returns the bindings of `asyncio:streams/numbers`.

    Raises NotInComponentError where there are none.
    """
    return _imported("numbers", "Watch")


def monotonic_clock() -> ModuleType:
    """Returns the bindings of `wasi:clocks/monotonic-clock` of WASI 0.3.

    Raises NotInComponentError where there are none.
    """
    for name in ("monotonic_clock", "wasi_clocks_monotonic_clock"):
        module = _interface(name)
        if module is not None and hasattr(module, "wait_for"):
            return module
    raise NotInComponentError(
        "this component does not import wasi:clocks/monotonic-clock@0.3.0, which timers need: "
        "add `import wasi:clocks/monotonic-clock@0.3.0;` to its world"
    )


def tls() -> ModuleType:
    """Returns the bindings of `asyncio:streams/tls`.

    Raises NotInComponentError where there are none.
    """
    module = _interface("tls")
    if module is None or not hasattr(module, "ClientConfig"):
        raise NotInComponentError(
            "this component was built without TLS: build it with `python -m asyncio_streams.build --with-tls`, "
            "and compose it with streams-tls.wasm"
        )
    return module


def unix() -> ModuleType:
    """Returns the bindings of `asyncio:streams/unix`.

    Raises NotInComponentError where there are none.
    """
    return _imported("unix", "open_unix_connection")


def cli(name: str) -> ModuleType | None:
    """Returns the bindings of an interface of `wasi:cli` of WASI 0.3: "exit", "stdin", "stdout" or "stderr".

    Returns none if the world does not import it. The first call must be during the build: bindings cannot be imported later.
    """
    return _interface(name) or _interface(f"wasi_cli_{name}")


def signals() -> ModuleType | None:
    """Returns the bindings of `asyncio:streams/signals`; none in a component whose host may tell it of no signals."""
    module = _interface("signals")
    return module if module is not None and hasattr(module, "handle") else None


def host_is_there() -> bool:
    """Whether the component runs. While it is built, a call of an import ends everything."""
    return _running


def notice_host() -> None:
    """Notes that the component runs: called when the host calls an export."""
    global _running
    _running = True


def types_of(module: ModuleType) -> Any:
    """Returns the bindings of `asyncio:streams/types`, whatever the world calls them."""
    for value in vars(module).values():
        if isinstance(value, ModuleType) and hasattr(value, "NetworkCode"):
            return value
    raise NotInComponentError("the bindings of asyncio:streams/streams@0.1.0 have no types")


def _imported(name: str, function: str) -> ModuleType:
    """Returns the bindings of one of this project's interfaces, which contain `function`."""
    module = _interface(name)
    if module is None or not hasattr(module, function):
        interface = f"asyncio:streams/{name}@0.1.0"
        raise NotInComponentError(
            f"this component does not import {interface}: add `import {interface};` to its world, "
            "or build it by `python -m asyncio_streams.build`"
        )
    return module


def _interface(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(f"wit_world.imports.{name}")
    except ImportError:
        return None
