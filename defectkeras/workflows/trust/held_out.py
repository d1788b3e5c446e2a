"""Examples that a model has not learned from: of the validation split, or of a fold."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from defectkeras.core.labels import LabelScheme
from defectkeras.datasets.spec import Example, LoadedExample, load_example
from defectkeras.workflows.trust.thresholds import (
    Predict,
    predict_probabilities,
    remember,
)

if TYPE_CHECKING:
    import keras

    from defectkeras.training.config import TrainingConfig


@dataclasses.dataclass(frozen=True, eq=False)
class HeldOut:
    """A model, and examples that it has not learned from.

    Attributes:
        model: (B, H, W, 1) to logits (B, H, W, K).
        examples: In memory.
    """

    model: "keras.Model"
    examples: tuple[LoadedExample, ...]


def hold_out(
    model: "keras.Model", examples: Sequence[Example], scheme: LabelScheme
) -> HeldOut:
    """Load the examples that a model has not learned from.

    Args:
        model: (B, H, W, 1) to logits.
        examples: To be loaded.
        scheme: Their classes.
    """
    return HeldOut(model, tuple(load_example(e, scheme) for e in examples))


def examples_of(held_out: Sequence[HeldOut]) -> list[LoadedExample]:
    """Give all examples, whichever model has not seen them."""
    return [example for part in held_out for example in part.examples]


def predict_held_out(
    held_out: Sequence[HeldOut], scheme: LabelScheme, config: "TrainingConfig"
) -> Predict:
    """Give a function that asks of each micrograph the model that has not seen it.

    Args:
        held_out: Models and their examples; other micrographs cannot be asked for.
        scheme: The K classes.
        config: Says to which pixel size they are resampled, and over which views
            probabilities are the mean.

    Returns:
        Micrograph to (H, W, K).
    """
    unseen_by: dict[int, Predict] = {}
    for part in held_out:
        predict = predict_probabilities(
            part.model,
            scheme,
            target_pixel_size_nm=config.target_pixel_size_nm,
            symmetries=config.views,
        )
        unseen_by |= {id(e.micrograph): predict for e in part.examples}
    return remember(lambda micrograph: unseen_by[id(micrograph)](micrograph))
