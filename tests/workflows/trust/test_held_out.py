"""Each micrograph is asked of the model that has not learned from it."""

import keras
import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import LoadedExample
from defectkeras.training.config import TrainingConfig
from defectkeras.workflows.trust.held_out import HeldOut, examples_of, predict_held_out

SCHEME = LabelScheme(
    (DefectClass(0, "matrix", "matrix"), DefectClass(1, "void", "region"))
)


def says(logit):
    """A model that is as sure everywhere."""
    image = keras.Input((None, None, 1))
    model = keras.Model(image, keras.layers.Conv2D(1, 1)(image))
    model.set_weights([np.zeros((1, 1, 1, 1)), np.full(1, logit)])
    return model


def drawn(seed):
    pixels = np.random.default_rng(seed).random((48, 64), np.float32)
    micrograph = Micrograph(pixels, Calibration(None), f"noise {seed}")
    return LoadedExample(micrograph, np.zeros((48, 64), np.int32))


def test_each_model_is_asked_of_what_it_has_not_seen():
    held_out = [
        HeldOut(says(2.0), (drawn(0), drawn(1))),
        HeldOut(says(-1), (drawn(2),)),
    ]
    predict = predict_held_out(held_out, SCHEME, TrainingConfig())
    examples = examples_of(held_out)
    found = [float(predict(e.micrograph)[..., 1].mean()) for e in examples]
    expected = [1 / (1 + np.exp(-logit)) for logit in (2.0, 2.0, -1.0)]
    assert found == pytest.approx(expected, abs=1e-5)
    with pytest.raises(KeyError):
        predict(drawn(0).micrograph)
