"""Joint pyramid upsampling against its published parameter count."""

import keras
import numpy as np

from defectkeras.models.joint_pyramid import add_joint_pyramid


def test_published_parameters_and_size():
    maps = [
        keras.Input((16 // s, 24 // s, c)) for s, c in ((1, 512), (2, 1024), (4, 2048))
    ]
    y = add_joint_pyramid(*maps)
    assert y.shape == (None, 16, 24, 2048)
    trainable = keras.Model(maps, y).trainable_weights
    assert sum(int(np.prod(w.shape)) for w in trainable) == 19_735_552
