"""Requests that come at the same time are computed together, where they fit.

Requests fit when they mean the same version and signature and agree in every axis but
the first. Each waits a few milliseconds at most; none is padded, so that a micrograph
gives the same numbers alone and in company.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.serving.servable import Servable, Tensors
from defectkeras.serving.status import Code, StatusError

Outputs = dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Job:
    """A request on its way.

    Attributes:
        servable: The version.
        signature: Name of the signature.
        inputs: By name, checked.
        outputs: Names of those that are wanted; none are all.
        pixels: How many it asks about.
        future: Gets the outputs, or the error; when it is cancelled before the
            request is begun, that is never computed.
        since: Monotonic time of its coming.
    """

    servable: Servable
    signature: str
    inputs: Tensors
    outputs: tuple[str, ...] = ()
    pixels: int = 0
    future: "Future[Outputs]" = field(default_factory=Future)
    since: float = field(default_factory=time.monotonic)

    @property
    def rows(self) -> int:
        """Length of the first axis, that of the batch."""
        return min((len(value) for value in self.inputs.values()), default=0)

    @property
    def kind(self) -> tuple[Any, ...]:
        """What two requests must share to be computed together."""
        forms = [(n, v.dtype, v.shape[1:]) for n, v in sorted(self.inputs.items())]
        return (id(self.servable), self.signature, self.outputs, *forms)


class Batcher:
    """Threads that compute requests, together where they fit.

    Args:
        num_threads: Batches computed at the same time.
        max_batch_size: Most rows of a batch; a larger request is computed alone.
        max_pixels: Most pixels of a batch; likewise.
        max_wait_s: Longest time that a request waits for company.
        max_jobs: Most requests that may wait; more are refused.
    """

    def __init__(
        self,
        *,
        num_threads: int,
        max_batch_size: int,
        max_pixels: int,
        max_wait_s: float,
        max_jobs: int,
    ) -> None:
        self._max_batch_size = max_batch_size
        self._max_pixels = max_pixels
        self._max_wait_s = max_wait_s
        self._max_jobs = max_jobs
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._work, daemon=True) for _ in range(num_threads)
        ]
        for thread in self._threads:
            thread.start()

    def run(self, job: Job, *, timeout_s: float) -> Outputs:
        """Compute a request; waits for the result.

        Args:
            job: The request.
            timeout_s: Longest time in all.

        Returns:
            The outputs by name, (N, ...) each.

        Raises:
            StatusError: When too many wait, it takes too long, fails or is cancelled.
        """
        with self._changed:
            if self._stopped or len(self._jobs) >= self._max_jobs:
                raise StatusError(
                    Code.UNAVAILABLE, "The batch scheduling queue is full"
                )
            self._jobs.append(job)
            self._changed.notify_all()
        try:
            return job.future.result(timeout=max(timeout_s, 0))
        except TimeoutError:
            job.future.cancel()
            raise StatusError(
                Code.DEADLINE_EXCEEDED, f"No result within {timeout_s:g} s"
            ) from None
        except CancelledError:
            raise StatusError(Code.CANCELLED, "The client has gone") from None

    def stop(self) -> None:
        """Compute what waits, then end the threads."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while batch := self._take():
            running = [j for j in batch if j.future.set_running_or_notify_cancel()]
            if running:
                _compute(running)

    def _take(self) -> list[Job]:
        """Wait for requests and take those that fit the first; none at the end."""
        with self._changed:
            while True:
                if not self._jobs:
                    if self._stopped:
                        return []
                    self._changed.wait()
                    continue
                batch = self._fitting()
                due = self._jobs[0].since + self._max_wait_s - time.monotonic()
                full = sum(j.rows for j in batch) >= self._max_batch_size
                if full or due <= 0 or self._stopped:
                    for job in batch:
                        self._jobs.remove(job)
                    return batch
                self._changed.wait(due)

    def _fitting(self) -> list[Job]:
        """Give the first request and those behind it that fit it."""
        first = self._jobs[0]
        batch, rows, pixels = [first], first.rows, first.pixels
        for job in list(self._jobs)[1:]:
            rows_then, pixels_then = rows + job.rows, pixels + job.pixels
            fits = rows_then <= self._max_batch_size and pixels_then <= self._max_pixels
            if fits and job.kind == first.kind:
                batch.append(job)
                rows, pixels = rows_then, pixels_then
        return batch


def _compute(batch: Sequence[Job]) -> None:
    """Compute requests together; when that fails, each alone.

    So one bad file spoils nobody else's result.
    """
    if len(batch) > 1:
        try:
            joined = _join(batch)
            first = batch[0]
            found = first.servable.run(first.signature, joined, first.outputs)
        except Exception:  # noqa: BLE001  (the thread must go on; each is told alone)
            for job in batch:
                _compute([job])
            return
        _share(batch, found)
        return
    (job,) = batch
    try:
        job.future.set_result(job.servable.run(job.signature, job.inputs, job.outputs))
    except StatusError as error:
        job.future.set_exception(error)
    except Exception as error:  # noqa: BLE001  (a waiting client must hear of it)
        job.future.set_exception(StatusError(Code.INTERNAL, f"{error}"))


def _join(batch: Sequence[Job]) -> Outputs:
    return {
        name: np.concatenate([job.inputs[name] for job in batch])
        for name in batch[0].inputs
    }


def _share(batch: Sequence[Job], found: Outputs) -> None:
    start = 0
    for job in batch:
        stop = start + job.rows
        job.future.set_result({n: value[start:stop] for n, value in found.items()})
        start = stop
