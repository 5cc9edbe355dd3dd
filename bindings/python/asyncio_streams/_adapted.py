"""Packages that start a thread only to call a function in it: here they call it as `asyncio.to_thread` does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import ModuleType
from typing import Any


def is_known(name: str) -> bool:
    """Returns whether the module with that name is to be adapted."""
    return name in _ADAPTERS


def adapt(module: ModuleType) -> None:
    """Adapts a module that was just imported, if it is one of these."""
    adapter = _ADAPTERS.get(module.__name__)
    if adapter is not None:
        adapter(module)


def _adapt_anyio(module: Any) -> None:
    """Adapts `anyio.to_thread.run_sync`, by which Starlette also calls plain functions."""
    backend = getattr(module, "AsyncIOBackend", None)
    name = "run_sync_in_worker_thread"
    if not hasattr(backend, name):
        # Other versions work differently, and get the error about threads.
        return

    async def run_sync(
        cls: Any, func: Callable[..., Any], args: tuple[Any, ...], abandon_on_cancel: bool = False, limiter: Any = None
    ) -> Any:
        await cls.checkpoint()
        async with limiter or cls.current_default_thread_limiter():
            with module.CancelScope(shield=not abandon_on_cancel):
                return await asyncio.to_thread(func, *args)

    setattr(backend, name, classmethod(run_sync))


_ADAPTERS: dict[str, Callable[[Any], None]] = {"anyio._backends._asyncio": _adapt_anyio}
