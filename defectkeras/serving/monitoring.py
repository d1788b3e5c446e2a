"""Counts and times of requests, under the names that TensorFlow Serving gives them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest

from defectkeras.serving.status import StatusError

METRICS_PATH = "/monitoring/prometheus/metrics"

_BUCKETS_US = tuple(10 * 1.8**power for power in range(33))  # 10 us to 25 min


class Metrics:
    """What a server counts.

    TensorFlow Serving's count of requests has no ending "_total", which the Prometheus
    client adds to every counter, so here it is a gauge that only rises.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Gauge(
            ":tensorflow:serving:request_count",
            "Requests by model and status.",
            ("model_name", "status"),
            registry=self._registry,
        )
        self._latency = Histogram(
            ":tensorflow:serving:request_latency",
            "Microseconds from a request to its reply.",
            ("model_name", "API", "entrypoint"),
            buckets=_BUCKETS_US,
            registry=self._registry,
        )
        self._running = Gauge(
            "defectkeras_requests_running",
            "Requests that wait or are computed.",
            registry=self._registry,
        )

    @contextmanager
    def watch(self, model_name: str, entrypoint: str) -> Iterator[None]:
        """Count and time a request.

        Args:
            model_name: One that is served; other names would grow without end.
            entrypoint: "REST" or "GRPC".
        """
        start, status = time.perf_counter(), "UNKNOWN"
        self._running.inc()
        try:
            yield
            status = "OK"
        except StatusError as error:
            status = error.code.name
            raise
        finally:
            self._running.dec()
            self._requests.labels(model_name, status).inc()
            taken_us = 1e6 * (time.perf_counter() - start)
            self._latency.labels(model_name, "Predict", entrypoint).observe(taken_us)

    def page(self) -> bytes:
        """Give all of it in Prometheus' text form."""
        return generate_latest(self._registry)
