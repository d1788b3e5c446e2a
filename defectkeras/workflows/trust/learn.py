"""When a trained model is to be trusted: what is found out before it is published."""

import dataclasses
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from defectkeras.datasets.spec import DatasetSpec
from defectkeras.workflows.trust.applicability import learn_references
from defectkeras.workflows.trust.calibration import calibrate
from defectkeras.workflows.trust.held_out import HeldOut, examples_of, predict_held_out
from defectkeras.workflows.trust.thresholds import tune_thresholds

if TYPE_CHECKING:
    from defectkeras.training.config import TrainingConfig

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Trust:
    """What goes into the registry beside the weights.

    Attributes:
        temperature: By which the logits are divided, so that probabilities are as sure
            as right.
        thresholds: Class name to the least probability; empty takes the most
            probable class.
        metrics: Table "calibration", and "tuned_thresholds" where they were tuned.
        applicability: How the training micrographs look, for the card.
    """

    temperature: float
    thresholds: dict[str, float]
    metrics: dict[str, Any]
    applicability: dict[str, Any]


def learn_trust(
    held_out: Sequence[HeldOut],
    spec: DatasetSpec,
    config: "TrainingConfig",
    *,
    split: str = "val",
) -> Trust:
    """Fit the temperature, tune the thresholds if asked for, look at the micrographs.

    All of it is computed as the version will predict: resampled, and as the mean over
    eight views, where the settings say so. The test split is not touched.

    Args:
        held_out: The model with its best weights and the validation split; or the
            models of the folds, each with the fold that it has not seen.
        spec: What it was trained and validated on.
        config: The settings of the training.
        split: What the held-out examples are called.
    """
    from defectkeras.models.temperature import with_temperature

    target_nm = config.target_pixel_size_nm
    calibration = calibrate(
        held_out,
        target_pixel_size_nm=target_nm,
        symmetries=config.views,
        split=split,
    )
    temperature = calibration["temperature"]
    logger.info(
        "A temperature of %.2f changes the calibration error in validation "
        "from %.4f to %.4f.",
        temperature,
        calibration["calibration_error_before"],
        calibration["calibration_error_after"],
    )
    held_out = [
        dataclasses.replace(part, model=with_temperature(part.model, temperature))
        for part in held_out
    ]
    unseen = examples_of(held_out)
    predict = predict_held_out(held_out, spec.scheme, config)
    metrics: dict[str, Any] = {"calibration": calibration}
    thresholds: dict[str, float] = {}
    if config.tune_thresholds:
        tuned = tune_thresholds(unseen, predict, spec.scheme, split=split)
        logger.info("%s", tuned)
        metrics["tuned_thresholds"], thresholds = tuned.to_dict(), tuned.thresholds
    applicability = learn_references(
        (*spec.of_split("train"), *spec.of_split("val")),
        unseen,
        predict,
        target_pixel_size_nm=target_nm,
    )
    return Trust(temperature, thresholds, metrics, applicability)
