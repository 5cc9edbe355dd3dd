"""Protecting connections by TLS: the loop's part of `ssl=` and `start_tls`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._loop import ComponentLoop

    _Base = ComponentLoop
else:
    _Base = object


class Upgrading(_Base):
    """The part of the loop that knows of TLS."""

    def protect_client(self, options: Any, ssl: Any, name: str, handshake: float | None, shutdown: float | None) -> None:
        raise NotImplementedError

    def protect_server(self, options: Any, ssl: Any, handshake: float | None, shutdown: float | None) -> None:
        raise NotImplementedError

    def tls_extra(self, writer: Any, ssl: Any) -> dict[str, Any] | None:
        """What `get_extra_info` has to say of a connection's TLS."""
        return None
