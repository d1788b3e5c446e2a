"""Two runs with one seed give equal weights, for every architecture."""

import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import LoadedExample
from defectkeras.models.build import build_model
from defectkeras.training.config import TrainingConfig
from defectkeras.training.environment import seed_everything
from defectkeras.training.train import train

SCHEME = LabelScheme(
    (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "void", "region"),
        DefectClass(2, "line", "line"),
    )
)


def draw_example():
    class_map = np.zeros((70, 92), np.int32)
    class_map[10:30, 20:50], class_map[50:53] = 1, 2
    noise = np.random.default_rng(0).normal(0, 0.2, class_map.shape)
    return LoadedExample(Micrograph(noise + class_map, Calibration(), "a"), class_map)


@pytest.mark.slow
def test_same_seed_gives_equal_weights(architecture, small_arguments, tmp_path):
    config = TrainingConfig(
        epochs=1,
        steps_per_epoch=2,
        batch_size=2,
        patch_size=64,
        warmup_epochs=0,
        precision="float32",
        seed=5,
    )
    weights = []
    for name in ("first", "second"):
        seed_everything(config.seed)
        model = build_model(architecture, num_classes=3, **small_arguments)
        before = model.get_weights()
        examples = [draw_example()], [draw_example()]
        run = train(model, *examples, SCHEME, config, run_folder=tmp_path / name)
        weights.append(run.model.get_weights())
    assert any((a != b).any() for a, b in zip(before, weights[1], strict=False))
    for first, second in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, second)
