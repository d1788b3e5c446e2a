import numpy as np
import pytest

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import LoadedExample
from defectkeras.models.build import build_model
from defectkeras.workflows.trust.thresholds import (
    LEAST_GAIN,
    predict_probabilities,
    remember,
    tune_thresholds,
)

SCHEME = LabelScheme(
    (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "void", "region"),
        DefectClass(2, "line", "line"),
    )
)


def draw(seed):
    """A class map and probabilities that are timid about voids: 0.31 to 0.45."""
    rng = np.random.default_rng(seed)
    class_map = np.zeros((30, 44), np.int32)
    class_map[4:12, 5:20], class_map[20:23] = 1, 2
    probability_map = np.full((30, 44, 3), 0.05, np.float32)
    voids = rng.uniform(0.31, 0.45, class_map.shape)
    others = rng.uniform(0.0, 0.29, class_map.shape)
    probability_map[..., 1] = np.where(class_map == 1, voids, others)
    probability_map[..., 2] = np.where(class_map == 2, 0.9, 0.02)
    probability_map[..., 0] = 1 - probability_map[..., 1:].sum(axis=-1)
    class_map[:, :3] = NOT_ANNOTATED
    probability_map[:, :3] = (0.1, 0.9, 0.0)  # where nothing is annotated
    return Micrograph(rng.normal(size=(30, 44)), Calibration(), str(seed)), (
        class_map,
        probability_map,
    )


def test_timid_class_gets_a_lower_threshold():
    drawn = dict(draw(seed) for seed in range(2))
    examples = [LoadedExample(m, class_map) for m, (class_map, _) in drawn.items()]
    tuned = tune_thresholds(examples, lambda m: drawn[m][1], SCHEME)
    assert tuned.thresholds == {"void": 0.3, "line": 0.5}
    assert tuned.score_before == pytest.approx(0.5, abs=0.01)
    assert tuned.score_after == 1.0
    assert "from 0.500 to 1.000: void 0.30, line 0.50" in str(tuned)
    assert tuned.to_dict()["split"] == "val"


def test_nothing_is_kept_where_nothing_is_won():
    micrograph, (class_map, _) = draw(0)
    certain = np.eye(3, dtype=np.float32)[np.maximum(class_map, 0)]
    example = LoadedExample(micrograph, class_map)
    tuned = tune_thresholds([example], lambda m: certain, SCHEME, split="folds")
    assert tuned.to_dict()["split"] == "folds"
    assert tuned.thresholds == {}
    assert tuned.score_before == tuned.score_after == 1.0


@pytest.mark.parametrize(("timid", "is_kept"), [(2, False), (60, True)])
def test_a_gain_that_may_be_noise_is_not_kept(timid, is_kept):
    class_map = np.zeros((30, 44), np.int32)
    class_map[5:25, 4:40] = 1  # 720 pixels
    probability_map = np.eye(3, dtype=np.float32)[class_map]
    rows, columns = np.nonzero(class_map)
    probability_map[rows[:timid], columns[:timid]] = (0.55, 0.45, 0.0)
    micrograph = Micrograph(np.zeros((30, 44)), Calibration(), "a")
    example = LoadedExample(micrograph, class_map)
    tuned = tune_thresholds([example], lambda m: probability_map, SCHEME)
    assert tuned.score_before == pytest.approx(1 - timid / 720)
    assert tuned.score_after == 1.0
    assert bool(tuned.thresholds) == is_kept
    gain = tuned.score_after - tuned.score_before
    assert (gain >= LEAST_GAIN) == is_kept


def test_model_gives_probabilities_of_any_size():
    model = build_model("defectsegnet", num_classes=3)
    predict = predict_probabilities(model, SCHEME)
    probability_map = predict(draw(0)[0])
    assert probability_map.shape == (30, 44, 3)
    np.testing.assert_allclose(probability_map.sum(axis=-1), 1.0, rtol=1e-5)


def test_remembers_as_long_as_there_is_room():
    drawn = [draw(seed)[0] for seed in range(2)]
    asked = []

    def predict(micrograph):
        asked.append(micrograph.name)
        return np.full((30, 44, 3), len(asked), np.float32)

    ask = remember(predict, most_bytes=30 * 44 * 3 * 4)
    values = [ask(m)[0, 0, 0] for m in (*drawn, *drawn)]
    assert asked == ["0", "1", "1"]
    assert values == [1, 2, 1, 3]
