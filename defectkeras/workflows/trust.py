"""When a trained model is to be trusted: what is found out before it is published."""

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from defectkeras.datasets.spec import DatasetSpec, load_example
from defectkeras.workflows.applicability import learn_references
from defectkeras.workflows.calibration import calibrate
from defectkeras.workflows.thresholds import (
    predict_probabilities,
    remember,
    tune_thresholds,
)

if TYPE_CHECKING:
    import keras

    from defectkeras.training.config import TrainingConfig

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Trust:
    """What goes into the registry.

    Attributes:
        model: With a temperature that makes its probabilities as sure as right.
        thresholds: Class name to the least probability; empty takes the most
            probable class.
        metrics: Table "calibration", and "tuned_thresholds" where they were tuned.
        applicability: How the training micrographs look, for the card.
    """

    model: "keras.Model"
    thresholds: dict[str, float]
    metrics: dict[str, Any]
    applicability: dict[str, Any]

    def with_weights_of(self, again: "keras.Model") -> "Trust":
        """Give the same for a model that was trained alike.

        Args:
            again: Without a temperature.
        """
        from defectkeras.models.temperature import with_temperature

        temperature = self.metrics["calibration"]["temperature"]
        return replace(self, model=with_temperature(again, temperature))


def learn_trust(
    model: "keras.Model", spec: DatasetSpec, config: "TrainingConfig"
) -> Trust:
    """Fit the temperature, tune the thresholds if asked for, look at the micrographs.

    All of it is computed as the version will predict: resampled, and as the mean over
    eight views, where the settings say so. The test split is not touched.

    Args:
        model: With its best weights, (B, H, W, 1) to logits.
        spec: What it was trained and validated on.
        config: The settings of the training.
    """
    target_nm, augment = config.target_pixel_size_nm, config.augment_predictions
    unseen = [load_example(e, spec.scheme) for e in spec.of_split("val")]
    calibrated, calibration = calibrate(
        model, unseen, target_pixel_size_nm=target_nm, augment=augment
    )
    logger.info(
        "A temperature of %.2f brings the calibration error on the validation split "
        "from %.4f to %.4f.",
        calibration["temperature"],
        calibration["calibration_error_before"],
        calibration["calibration_error_after"],
    )
    predict = remember(
        predict_probabilities(
            calibrated, spec.scheme, target_pixel_size_nm=target_nm, augment=augment
        )
    )
    metrics: dict[str, Any] = {"calibration": calibration}
    thresholds: dict[str, float] = {}
    if config.tune_thresholds:
        tuned = tune_thresholds(unseen, predict, spec.scheme)
        logger.info("%s", tuned)
        metrics["tuned_thresholds"], thresholds = tuned.to_dict(), tuned.thresholds
    applicability = learn_references(
        (*spec.of_split("train"), *spec.of_split("val")),
        [example.micrograph for example in unseen],
        predict,
        target_pixel_size_nm=target_nm,
    )
    return Trust(calibrated, thresholds, metrics, applicability)
