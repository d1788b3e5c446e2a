"""How a server is run, and what it lets through."""

import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path

from defectkeras.core.errors import ServingError


@dataclass(frozen=True)
class ServerSettings:
    """How a server is run.

    Attributes:
        host: Address to listen at; others than the loopback need a token or TLS.
        port: Of REST and the page; 0 takes a free one.
        grpc_port: Of gRPC; 0 takes a free one.
        token: What clients must show as "Authorization: Bearer ...", or None.
        tls_certificate: PEM file, or None for no TLS.
        tls_key: PEM file of its key.
        max_body_bytes: Largest request.
        max_pixels: Most pixels of a request, and of requests computed together.
        max_requests: Most requests at a time.
        timeout_s: Longest time for a request.
        max_batch_size: Most images computed together.
        max_batch_wait_s: Longest time that a request waits for company.
        num_threads: Batches computed at the same time.
        poll_s: Seconds between two looks at the registry.
    """

    host: str = "127.0.0.1"
    port: int = 8501
    grpc_port: int = 8500
    token: str | None = field(default=None, repr=False)
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    max_body_bytes: int = 256 * 2**20
    max_pixels: int = 2**24
    max_requests: int = 64
    timeout_s: float = 60.0
    max_batch_size: int = 8
    max_batch_wait_s: float = 0.002
    num_threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    poll_s: float = 1.0

    def __post_init__(self) -> None:
        """Check that nobody opens a server to all by mistake.

        Raises:
            ServingError: When it would be.
        """
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ServingError(
                "TLS needs a certificate and its key. Received: "
                f"{self.tls_certificate} and {self.tls_key}."
            )
        if self.token == "":
            raise ServingError("A token must not be empty. Put one into its file.")
        if not (is_loopback(self.host) or self.token or self.tls_certificate):
            raise ServingError(
                f"A server at {self.host} is open to others and must have a token or "
                "TLS. Give --token-file, or --tls-certificate and --tls-key, or listen "
                "at 127.0.0.1."
            )


def is_loopback(host: str) -> bool:
    """Tell whether an address is reached from this machine only.

    Example:
        >>> is_loopback("localhost"), is_loopback("::1"), is_loopback("0.0.0.0")
        (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
