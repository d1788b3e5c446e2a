"""What both interfaces of the server share: find the version, check, compute, count."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from defectkeras.registry.saved_model.export import MICROGRAPH_SIGNATURE
from defectkeras.serving.batching import Batcher, Job, Outputs
from defectkeras.serving.monitoring import Metrics
from defectkeras.serving.pixel_limit import count_pixels, require_few_pixels
from defectkeras.serving.servable import Servable, Tensors
from defectkeras.serving.served_models import ServedModels
from defectkeras.serving.status import Code, StatusError


@dataclass(frozen=True)
class Wanted:
    """Which version a request means, and how it asks it.

    Attributes:
        name: Name of the model.
        version: Its number, or None.
        label: An alias, or None; without either the newest version is meant.
        signature: Name of the signature, "" for the default one.
        outputs: Names of the outputs that are wanted; none are all.
    """

    name: str
    version: int | None = None
    label: str | None = None
    signature: str = ""
    outputs: Sequence[str] = ()


class Predictor:
    """Answers predictions over the models that are served.

    Args:
        models: The models.
        batcher: Computes.
        metrics: Counts.
        max_requests: Most requests at a time, waiting or computed; more are refused.
        max_pixels: Most pixels of a request.
    """

    def __init__(
        self,
        models: ServedModels,
        batcher: Batcher,
        metrics: Metrics,
        *,
        max_requests: int,
        max_pixels: int,
    ) -> None:
        self.models = models
        self.metrics = metrics
        self._batcher = batcher
        self._max_pixels = max_pixels
        self._slots = threading.BoundedSemaphore(max_requests)

    def predict(
        self,
        wanted: Wanted,
        read_inputs: Callable[[Servable, str], Tensors],
        *,
        entrypoint: str,
        timeout_s: float,
        future: "Future[Outputs] | None" = None,
    ) -> tuple[Servable, str, Outputs]:
        """Answer a request.

        Args:
            wanted: The version, the signature, the outputs.
            read_inputs: Gives the tensors, from the version and the signature's name.
            entrypoint: "REST" or "GRPC", for the metrics.
            timeout_s: Longest time for it.
            future: Of the outputs; cancelled, the request is not begun.

        Returns:
            The version that answered, the signature, and the outputs by name.

        Raises:
            StatusError: When there is no answer.
        """
        servable = self.models.find(
            wanted.name, version=wanted.version, label=wanted.label
        )
        with self.metrics.watch(wanted.name, entrypoint):
            if not self._slots.acquire(blocking=False):
                raise StatusError(Code.UNAVAILABLE, "Too many requests at a time")
            try:
                signature = wanted.signature or MICROGRAPH_SIGNATURE
                inputs = read_inputs(servable, signature)
                servable.check(signature, inputs, wanted.outputs)
                pixels = count_pixels(inputs)
                require_few_pixels(pixels, self._max_pixels)
                job = Job(
                    servable,
                    signature,
                    inputs,
                    tuple(wanted.outputs),
                    pixels,
                    future or Future(),
                )
                outputs = self._batcher.run(job, timeout_s=timeout_s)
            finally:
                self._slots.release()
        return servable, signature, outputs
