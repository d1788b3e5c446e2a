"""Boundary loss: every wrong pixel by its distance from the object's boundary."""

import keras
from keras import ops

from defectkeras.losses.segmentation_loss import (
    SegmentationLoss,
    Tensor,
    annotated_pixels,
    defect_maps,
    mean_over_annotated,
)


@keras.saving.register_keras_serializable(package="defectkeras")
class Boundary(SegmentationLoss):
    """Boundary loss, averaged over annotated pixels and defect classes.

    `mean(p phi)` with phi of `signed_distance_maps`. It can be negative, and it
    has no slope that finds an object where there is none: add it to another loss,
    as in "ce + 0.01*boundary".

    The distances are computed from the class maps within the graph, exactly and
    in a fixed order: the same on every device, with and without XLA.

    Args:
        name: Name of the loss.

    Example:
        >>> import numpy as np
        >>> class_map = np.array([[[1, 1, 0, 0, 0]]])  # phi -1 0 1 2 3
        >>> logits = np.array([-99, -99, 99, -99, 0.0]).reshape(1, 1, 5, 1)
        >>> float(Boundary()(class_map, logits))  # (1 + 0.5 * 3) / 5
        0.5

    References:
        H. Kervadec et al., "Boundary loss for highly unbalanced segmentation",
        MIDL (2019); Medical Image Analysis 67 (2021) 101851,
        https://doi.org/10.1016/j.media.2020.101851
    """

    def __init__(self, name: str = "boundary") -> None:
        super().__init__(name)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Give the loss of class maps (B, H, W) and logits (B, H, W, K)."""
        truth, probability = defect_maps(y_true, y_pred)
        phi = signed_distance_maps(truth, annotated_pixels(y_true))
        return mean_over_annotated(ops.mean(probability * phi, axis=-1), y_true)


def signed_distance_maps(truth: Tensor, annotated: Tensor) -> Tensor:
    """Give how far each pixel is from the boundary of each class, in px.

    Outside a class it is the distance to its nearest pixel; inside, one minus the
    distance to the nearest pixel of another class: 0 for the inner pixels of the
    boundary, negative further in. Pixels that are not annotated are of no class.
    Where a class has no boundary, because it is nowhere or everywhere among the
    annotated pixels of an image, it is 0.

    Args:
        truth: (B, H, W, D), 0.0 or 1.0.
        annotated: (B, H, W), 0.0 or 1.0.

    Returns:
        (B, H, W, D), float32, without a gradient.
    """
    known = annotated[..., None]
    to_class = _distances(truth)
    to_others = _distances((1.0 - truth) * known)
    phi = to_class - ops.maximum(to_others - 1.0, 0.0)
    has_boundary = ops.isfinite(to_class) & ops.isfinite(to_others)
    return ops.stop_gradient(ops.where(has_boundary, phi, 0.0))


def _distances(seeds: Tensor) -> Tensor:
    """Give the Euclidean distance to the nearest seed; infinite without a seed."""
    rows = _distances_in_columns(ops.where(seeds > 0, 0.0, float("inf")))
    return ops.sqrt(_lower_parabolas(ops.square(rows)))


def _distances_in_columns(values: Tensor) -> Tensor:
    """Give min over j of values[:, j] + |i - j|, exactly.

    Jumps of 1, 2, 4, ... px, each up or down or not at all, reach every pixel. A
    jump over the border ends there and costs too much, so it wins nowhere.
    """
    height = ops.shape(values)[1]
    places = ops.arange(height)

    def jump(px: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        for target in (places - px, places + px):
            source = ops.take(values, ops.clip(target, 0, height - 1), axis=1)
            values = ops.minimum(values, source + ops.cast(px, "float32"))
        return 2 * px, values

    start = (ops.ones((), "int32"), values)
    return ops.while_loop(lambda px, values: px < height, jump, start)[1]


def _lower_parabolas(values: Tensor) -> Tensor:
    """Give min over j of values[:, :, j] + (i - j)^2, exactly.

    Step k brings what lies k px away: with 1 + 3 + ... + (2k - 1) = k^2, the least
    of a pixel and of both neighbors plus 2k - 1. Once a step changes nothing no
    later one does, so there are as many steps as the largest distance has px.
    """

    def step(k: Tensor, values: Tensor, _: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        left = ops.concatenate([values[:, :, :1], values[:, :, :-1]], axis=2)
        right = ops.concatenate([values[:, :, 1:], values[:, :, -1:]], axis=2)
        lower = ops.minimum(values, ops.minimum(left, right) + (2.0 * k - 1.0))
        return k + 1.0, lower, ops.any(lower < values)

    start = (ops.ones((), "float32"), values, ops.convert_to_tensor(True))
    return ops.while_loop(lambda k, values, changed: changed, step, start)[1]
