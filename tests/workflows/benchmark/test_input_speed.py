"""The benchmark takes the settings of a training."""

import pytest

from defectkeras.core.errors import TrainingError
from defectkeras.training.settings import resolve_settings
from defectkeras.workflows.benchmark.input_speed import benchmark_input


def test_patch_that_does_not_fit_is_told(synthetic_spec):
    settings = resolve_settings({"flag": {"patch_size": 50, "precision": "float32"}})
    with pytest.raises(TrainingError, match="multiple of the model's stride, 8"):
        benchmark_input(synthetic_spec, settings)
