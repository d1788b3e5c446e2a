"""HTTP connections that must say soon what they want.

Uvicorn waits for a request's head as long as the client likes, so that a few hundred
connections that send a byte now and then would keep everybody else out.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_TIMEOUT_S = 10.0


class PromptProtocol(H11Protocol):
    """Uvicorn's protocol; a connection is closed when its first head takes too long."""

    def connection_made(self, transport: Any) -> None:
        """Start the clock."""
        super().connection_made(transport)
        loop = asyncio.get_running_loop()
        self._clock = loop.call_later(HEAD_TIMEOUT_S, self._close_silent)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._clock.cancel()
        super().connection_lost(exc)

    def _close_silent(self) -> None:
        request: Any = self.cycle  # Uvicorn says that it is never None
        if request is None:
            self.transport.close()
