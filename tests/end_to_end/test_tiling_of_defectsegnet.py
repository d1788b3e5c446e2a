"""The tiling does not show in what a real network predicts."""

import keras
import numpy as np
import pytest

from defectkeras.models.build import build_model, describe_architecture
from defectkeras.prediction.predict import predict_image
from defectkeras.prediction.tiling import Tiling


@pytest.mark.slow
def test_the_result_does_not_depend_on_the_tile_size():
    keras.utils.set_random_seed(3)
    model = build_model("defectsegnet", num_classes=3)
    facts = describe_architecture(model)
    image = np.random.default_rng(4).random((300, 420), dtype=np.float32)

    def predict_fn(tiles):
        logits = keras.ops.convert_to_numpy(model(tiles, training=False))
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)

    maps = [
        predict_image(
            predict_fn,
            image,
            num_classes=3,
            tiling=Tiling(
                tile_size=tile_size,
                halo=facts.receptive_field_px // 2,
                stride=facts.stride,
                batch_size=2,
            ),
        ).probability_map
        for tile_size in (640, 200, 264)
    ]
    assert maps[0].std(axis=(0, 1)).max() > 1e-3  # there is something to spoil
    for other in maps[1:]:
        np.testing.assert_allclose(other, maps[0], atol=1e-5)
