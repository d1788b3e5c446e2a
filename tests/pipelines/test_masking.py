"""Hidden squares are squares, hidden at random, and the same for the same seed."""

import numpy as np
import tensorflow as tf

from defectkeras.pipelines.masking import (
    HIDDEN_GREY,
    Masking,
    build_masked_dataset,
    hide_squares,
)

MASKING = Masking(square_px=8, fraction=0.3)


def draw_images(count=6):
    return np.random.default_rng(1).random((count, 64, 64, 1), np.float32)


def test_squares_are_grey_and_the_rest_is_as_it_was():
    images = draw_images()
    seen, wanted = (t.numpy() for t in hide_squares(images, [3, 4], MASKING))
    hidden = wanted[..., 1:]
    np.testing.assert_array_equal(wanted[..., :1], images)
    np.testing.assert_array_equal(seen[hidden == 0], images[hidden == 0])
    assert (seen[hidden == 1] == HIDDEN_GREY).all()
    squares = hidden.reshape(6, 8, 8, 8, 8)
    assert ((squares.mean(axis=(2, 4)) % 1) == 0).all()
    assert 0.2 < hidden.mean() < 0.4


def test_batches_differ_and_runs_do_not():
    def runs():
        patches = tf.data.Dataset.from_tensor_slices((draw_images(), np.zeros(6)))
        batches = patches.batch(2, drop_remainder=True)
        dataset = build_masked_dataset(batches, seed=5, masking=MASKING)
        assert int(dataset.cardinality()) == 3
        return [wanted.numpy()[..., 1] for _, wanted in dataset]

    first, second = runs(), runs()
    np.testing.assert_array_equal(first, second)
    assert (first[0] != first[1]).any()
