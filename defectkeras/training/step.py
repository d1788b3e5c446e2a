"""One update of the weights, on one device, on several, or on several machines.

A loop of our own on `tf.distribute`, and not `keras.Model.fit` with callbacks,
because each of these would have needed a work-round of its own in Keras 3.15:

- `fit` does not start with two workers (`_maybe_symbolic_build` reduces a
  PerReplica value) and takes a step too many per epoch of unknown length;
- its gradients are clipped and accumulated on each replica before they are
  summed, so that the result depends on the number of devices;
- it checks no gradient before it is applied, so that a bad step spoils the weights;
- it can start at an epoch but not at a step.

Here a step is two calls. The first gives the gradients of the whole batch, summed
over parts and replicas, and tells their norm; the caller looks at it and makes the
second, which applies them. A batch may be computed in parts (accumulation) and on
replicas: each part's loss weighs by its annotated pixels, so that cross-entropy
comes out as over the whole batch at once. (Dice is that of the part.)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from defectkeras.losses.segmentation_loss import annotated_pixels
from defectkeras.training.average import AverageWeights
from defectkeras.training.optimizer import Group


@dataclass(frozen=True, eq=False)
class Gradients:
    """What the first call of a step gives.

    Attributes:
        loss: Of the batch.
        norm: Of all gradients together, before they are clipped.
        values: The gradients, as the second call wants them.
    """

    loss: float
    norm: float
    values: Any


class TrainingStep:
    """Compute gradients and apply them.

    Args:
        model: (B, H, W, 1) to logits (B, H, W, K), and after them those of
            auxiliary heads (B, h, w, K), h and w at most H and W.
        loss: Of class maps and logits.
        groups: The weights that learn, with their optimizers.
        average: Is kept up, or None.
        auxiliary_weight: Of the mean loss of the auxiliary heads.
        clip_norm: Largest norm of all gradients together.
        strategy: In whose scope the model was built.
        jit: Whether XLA compiles the gradients; not with several replicas.
    """

    def __init__(
        self,
        model: keras.Model,
        loss: keras.losses.Loss,
        groups: Sequence[Group],
        *,
        average: AverageWeights | None = None,
        auxiliary_weight: float = 0.0,
        clip_norm: float,
        strategy: Any,
        jit: bool = False,
    ) -> None:
        self.model, self.loss, self.groups = model, loss, tuple(groups)
        self.average, self.auxiliary_weight = average, auxiliary_weight
        self.clip_norm, self.strategy = clip_norm, strategy
        self.variables = [v for group in self.groups for v in group.variables]
        # A function in a function cannot wait for the other replicas
        compiled = tf.function(self._local_sums, jit_compile=True)
        self._local = compiled if jit else self._local_sums
        self._part = tf.function(self._sum_part)
        self._whole = tf.function(self._sum_whole)
        self._update = tf.function(self._apply)

    def graph(self, shape: tuple[int, int, int]) -> Any:
        """Give the graph of the gradients of one part.

        Args:
            shape: (B, H, W) of the part.
        """
        images = tf.TensorSpec((*shape, self.model.input_shape[-1]), tf.float32)
        class_map, scale = tf.TensorSpec(shape, tf.int32), tf.TensorSpec((), tf.float32)
        function = tf.function(self._local_sums)
        return function.get_concrete_function(images, class_map, scale).graph

    def gradients(self, parts: Iterator[Any], count: int, scale: float) -> Gradients:
        """Compute the gradients of the next batch.

        Args:
            parts: Batches (images, class maps) of the strategy.
            count: How many of them make one batch.
            scale: Factor on the loss while gradients are computed.
        """
        factor = tf.constant(scale, tf.float32)
        sums = None
        for _ in range(count - 1):
            sums = self._part(next(parts), factor, sums)
        loss, norm, values = self._whole(next(parts), factor, sums)
        return Gradients(float(loss), float(norm), values)

    def apply(self, gradients: Gradients, rate: float, momentum: float = 0.0) -> None:
        """Change the weights, and their average by its momentum."""
        clip = min(1.0, self.clip_norm / max(gradients.norm, 1e-30))
        numbers = (rate, clip / self.strategy.num_replicas_in_sync, momentum)
        factors = [tf.constant(number, tf.float32) for number in numbers]
        self._update(gradients.values, *factors)

    def _local_sums(self, images: Any, class_map: Any, scale: Any) -> list[Any]:
        """Give loss, weight and gradients of one part, each times the weight."""
        weight = tf.reduce_mean(annotated_pixels(class_map))
        with tf.GradientTape() as tape:
            outputs = self.model(images, training=True)
            loss = total_loss(self.loss, class_map, outputs, self.auxiliary_weight)
            loss += sum(self.model.losses)
            scaled = loss * weight * scale
        gradients = tape.gradient(
            scaled,
            [v.value for v in self.variables],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        return [loss * weight, weight, *[g / scale for g in gradients]]

    def _add_local(
        self, batch: tuple[Any, Any], scale: Any, earlier: list[Any] | None
    ) -> list[Any]:
        sums = self._local(*batch, scale)
        return sums if earlier is None else [a + b for a, b in zip(earlier, sums)]  # noqa: B905

    def _sum_part(self, batch: Any, scale: Any, earlier: Any) -> Any:
        return self.strategy.run(self._add_local, (batch, scale, earlier))

    def _sum_whole(self, batch: Any, scale: Any, earlier: Any) -> Any:
        def run(batch: Any, scale: Any, earlier: Any) -> Any:
            sums = [tf.identity(s) for s in self._add_local(batch, scale, earlier)]
            replica = tf.distribute.get_replica_context()
            loss, weight, *rest = replica.all_reduce(tf.distribute.ReduceOp.SUM, sums)
            gradients = [tf.math.divide_no_nan(g, weight) for g in rest]
            norm = tf.linalg.global_norm(gradients)
            return tf.math.divide_no_nan(loss, weight), norm, gradients

        loss, norm, gradients = self.strategy.run(run, (batch, scale, earlier))
        first = [self.strategy.experimental_local_results(x)[0] for x in (loss, norm)]
        return *first, gradients

    def _apply(self, gradients: Any, rate: Any, factor: Any, momentum: Any) -> None:
        def run(gradients: list[Any]) -> None:
            rest = [factor * g for g in gradients]  # Keras sums over the replicas
            for group in self.groups:
                count = len(group.variables)
                group.optimizer.learning_rate = rate * group.rate_factor
                group.optimizer.apply(rest[:count], group.variables)
                rest = rest[count:]
            if self.average:
                self.average.update(momentum)

        self.strategy.run(run, (gradients,))


def total_loss(
    loss: keras.losses.Loss, class_map: Any, outputs: Any, auxiliary_weight: float
) -> Any:
    """Give the loss of the main head, and that of the auxiliary ones.

    `L = L_0 + w mean(L_1, L_2, ...)`. A smaller head is compared with every n-th
    pixel of the annotation, which is never averaged.

    Args:
        loss: Of class maps and logits.
        class_map: (B, H, W).
        outputs: Logits (B, H, W, K), or a list of them with the main head first.
        auxiliary_weight: w.

    References:
        C.-Y. Lee et al., "Deeply-supervised nets", AISTATS (2015),
        https://doi.org/10.48550/arXiv.1409.5185
    """
    main, *auxiliary = outputs if isinstance(outputs, list | tuple) else [outputs]
    value = loss(class_map, main)
    for logits in auxiliary:
        step = class_map.shape[1] // logits.shape[1]
        factor = auxiliary_weight / len(auxiliary)
        value += factor * loss(class_map[:, ::step, ::step], logits)
    return value
