"""A version on a server, and what is said when it does not answer."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from defectkeras.core.errors import ServingError

Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Target:
    """A version on a server.

    Attributes:
        url: "grpc://host:8500", "grpcs://...", "http://host:8501" or "https://...".
        name: Name of the model.
        version: Its number.
        token: What the server wants to see, or None.
        timeout_s: Longest time for a request, all tries together.
    """

    url: str
    name: str
    version: int
    token: str | None = None
    timeout_s: float = 120.0


def no_connection(target: Target) -> ServingError:
    """Give the error of a request that found nobody who speaks its language."""
    language = "gRPC" if target.url.startswith("grpc") else "HTTP"
    return no_answer(
        target,
        f"nothing there speaks {language}. Check that it runs, and host, port and "
        "scheme: gRPC and REST have ports of their own (8500 and 8501 unless others "
        "were chosen)",
    )


def no_answer(target: Target, reason: str) -> ServingError:
    """Give the error of a request that came to nothing."""
    return ServingError(
        f"The server at {target.url} must answer for {target.name}@{target.version}, "
        f"but: {reason.rstrip('.')}."
    )
