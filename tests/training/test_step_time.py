import keras

from defectkeras.training.config import TrainingConfig
from defectkeras.training.step_time import step_seconds


def test_step_is_measured_under_its_policy(build_tiny_model):
    policies = []

    def build():
        policies.append(keras.config.dtype_policy().name)
        return build_tiny_model()

    config = TrainingConfig(batch_size=2, patch_size=32)
    assert 0 < step_seconds(build, config, "mixed_bfloat16") < 60
    assert policies == ["mixed_bfloat16"]
