from defectkeras.core.calibration import Calibration
from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.models.build import build_model
from defectkeras.pipelines.augment import Augmentation
from defectkeras.training.config import TrainingConfig
from defectkeras.workflows import training_card
from defectkeras.workflows.training_card import make_card, num_maps, pixel_size_range
from defectkeras.workflows.training_request import TrainingRequest
from defectkeras.workflows.trust.learn import Trust


class Read:
    def __init__(self, size_nm):
        self.calibration = Calibration(size_nm)


def test_scale_augmentation_widens_the_pixel_sizes(monkeypatch):
    monkeypatch.setattr(training_card, "load_micrograph", Read)
    config = TrainingConfig(augmentation=Augmentation(scale_range=(0.5, 2.0)))
    assert pixel_size_range((1.0, 3.0), config) == (0.5, 6.0)
    assert pixel_size_range((1.0, None), config) is None
    config = TrainingConfig(augmentation=Augmentation(scale_range=(0.8, 1.25)))
    assert pixel_size_range((0.7,), config) == (0.56, 0.875)  # not 0.5599999999999999


def test_card_says_what_it_was_told(synthetic_spec):
    spec = load_dataset_spec(synthetic_spec)
    name = spec.scheme.defects[0].name
    card = make_card(
        TrainingRequest(synthetic_spec),
        spec,
        TrainingConfig(),
        name="x",
        model=build_model("unet", num_classes=4, filters=2),
        pixel_size_range_nm=(1.0, 2.0),
        split={"folds": [["a"], ["b"]]},
        metrics={"split": "folds"},
        trust=Trust(1.0, {name: 0.3}, {"calibration": {"temperature": 1.0}}, {}),
    )
    assert card.arguments == {"num_classes": num_maps(spec)} == {"num_classes": 4}
    assert (card.stride, card.receptive_field_px) == (16, 215)
    assert card.thresholds == {name: 0.3}
    assert card.metrics == {"split": "folds", "calibration": {"temperature": 1.0}}
    assert card.split == {"folds": [["a"], ["b"]]}
    assert card.config["optimizer"] == "adamw"
