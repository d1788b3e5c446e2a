"""On which devices a run computes, by TensorFlow's own strategies."""

import json
import os
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from defectkeras.core.errors import TrainingError
from defectkeras.core.names import require_known
from defectkeras.pipelines.input_pipeline import Share
from defectkeras.training.cluster import cluster_config

STRATEGIES = ("auto", "one", "mirrored", "multiworker")


@dataclass(frozen=True, eq=False)
class Devices:
    """The devices of a run; the model is built in the scope of the strategy.

    Attributes:
        strategy: A `tf.distribute.Strategy`.
        worker: Number of this process; 0 is the chief, who alone writes.
        workers: How many processes there are.
        reason: One sentence for people.
    """

    strategy: Any
    worker: int
    workers: int
    reason: str

    @property
    def is_chief(self) -> bool:
        """Whether this process writes."""
        return self.worker == 0

    @property
    def replicas(self) -> int:
        """Parts that each batch is computed in at the same time."""
        return int(self.strategy.num_replicas_in_sync)

    def share(self, batch_size: int, accumulation_steps: int) -> Share:
        """Give this worker's share of each batch.

        Raises:
            TrainingError: When the batch does not part evenly.
        """
        if batch_size % (self.replicas * accumulation_steps):
            raise TrainingError(
                f"`batch_size` must be a multiple of {self.replicas} (devices) times "
                f"{accumulation_steps} (`accumulation_steps`). Received: {batch_size}."
            )
        pieces = self.replicas // self.workers * accumulation_steps
        return Share(self.worker, self.workers, pieces)

    def any_worker(self, wish: bool) -> bool:
        """Tell each worker whether one of them has a wish; all must ask at once."""
        if self.workers == 1:
            return wish
        return float(_traced_sum(self.strategy, tf.constant(float(wish)))) > 0


def _sum_over_workers(strategy: Any, number: Any) -> Any:
    def add(own: Any) -> Any:
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(own))

    return strategy.experimental_local_results(strategy.run(add, (number,)))[0]


_traced_sum = tf.function(_sum_over_workers)


def choose_devices(requested: str = "auto") -> Devices:
    """Choose the devices; call it before TensorFlow computes anything.

    Args:
        requested: "one", "mirrored" (all GPUs of this machine, or all logical
            CPU devices where there is no GPU), "multiworker" (the cluster that
            TF_CONFIG or SLURM tells), or "auto": the first of multiworker and
            mirrored that there is more than one of, else one.

    Raises:
        TrainingError: When the name is unknown, or there is no cluster.
    """
    require_known(requested, STRATEGIES, what="strategy", error=TrainingError)
    gpus = tf.config.list_physical_devices("GPU")
    cluster = cluster_config(os.environ)
    if requested == "multiworker" or (requested == "auto" and cluster):
        return _join(cluster)
    if requested == "mirrored" or (requested == "auto" and len(gpus) > 1):
        kind = "GPU" if gpus else "CPU"
        names = [d.name for d in tf.config.list_logical_devices(kind)]
        strategy = tf.distribute.MirroredStrategy(
            [name.removeprefix("/device:") for name in names]
        )
        return Devices(strategy, 0, 1, f"{len(names)} {kind} devices of this machine.")
    kind = "GPU" if gpus else "CPU"
    return Devices(tf.distribute.get_strategy(), 0, 1, f"One {kind}.")


def _join(cluster: dict[str, Any] | None) -> Devices:
    if cluster is None:
        raise TrainingError(
            "The strategy 'multiworker' needs two workers or more, told by TF_CONFIG "
            "or by SLURM (srun). Received: neither."
        )
    os.environ["TF_CONFIG"] = json.dumps(cluster)  # where TensorFlow looks
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    index, workers = cluster["task"]["index"], len(cluster["cluster"]["worker"])
    return Devices(strategy, index, workers, f"Worker {index + 1} of {workers}.")
