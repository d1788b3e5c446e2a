"""What is found out of a model before it is published."""

import pytest

from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.models.build import build_model
from defectkeras.training.config import TrainingConfig
from defectkeras.workflows.segment import load_segmenter
from defectkeras.workflows.trust.held_out import hold_out
from defectkeras.workflows.trust.learn import learn_trust


def test_card_of_a_published_version_has_it(tiny_registry):
    card = load_segmenter("tiny", tiny_registry).card
    calibration = card.metrics["calibration"]
    assert calibration["split"] == "val"
    assert 0 < calibration["temperature"] <= 20
    assert set(card.applicability) == {"grey levels", "texture", "certainty"}
    assert not card.augment


@pytest.mark.slow
def test_thresholds_are_tuned_with_the_views_of_the_version(synthetic_spec):
    spec = load_dataset_spec(synthetic_spec)
    model = build_model("unet", num_classes=spec.scheme.num_classes, filters=2)
    config = TrainingConfig(tune_thresholds=True, augment_predictions=True)
    unseen = hold_out(model, spec.of_split("val"), spec.scheme)
    trust = learn_trust([unseen], spec, config)
    assert set(trust.metrics) == {"calibration", "tuned_thresholds"}
    assert trust.thresholds == trust.metrics["tuned_thresholds"]["thresholds"]
