import numpy as np
import pytest
import tensorflow as tf

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.datasets.spec import LoadedExample
from defectkeras.pipelines.store import load_store
from defectkeras.training.validation import (
    compile_forward,
    predict_class_map,
    validate,
)


@pytest.mark.parametrize("num_classes", [1, 3])
@pytest.mark.parametrize("shape", [(40, 56), (41, 37), (3, 5)])
def test_any_size_is_predicted_and_cropped(build_tiny_model, num_classes, shape):
    model = build_tiny_model(num_classes)
    image = np.random.default_rng(0).uniform(size=shape).astype(np.float32)
    result = predict_class_map(compile_forward(model), image, stride=8)
    assert (result.shape, result.dtype) == (shape, np.int32)
    padding = [(0, -size % 8) for size in shape]
    padded = np.pad(image, padding, mode="symmetric")
    logits = model(padded[None, ..., None], training=False).numpy()[0]
    logits = logits[: shape[0], : shape[1]]
    expected = logits[..., 0] > 0 if num_classes == 1 else logits.argmax(axis=-1)
    np.testing.assert_array_equal(result, expected)


def test_tiles_change_nothing(build_tiny_model):
    forward = compile_forward(build_tiny_model())
    image = np.random.default_rng(1).uniform(size=(83, 118)).astype(np.float32)
    whole = predict_class_map(forward, image, stride=2)
    for tile_px in (16, 32, 64):
        tiled = predict_class_map(forward, image, stride=2, tile_px=tile_px, halo_px=8)
        np.testing.assert_array_equal(tiled, whole)
    assert len(np.unique(whole)) > 1


def test_tiles_bound_the_memory():
    sizes = []

    def forward(images):
        sizes.append(tuple(images.shape[1:3]))
        return tf.cast(images[..., 0] > 0.5, tf.int32), images

    image = np.random.default_rng(1).uniform(size=(100, 300)).astype(np.float32)
    result = predict_class_map(forward, image, stride=8, tile_px=64, halo_px=16)
    np.testing.assert_array_equal(result, image > 0.5)
    assert max(max(size) for size in sizes) == 64 + 2 * 16
    assert all(size % 8 == 0 for pair in sizes for size in pair)


def test_counts_are_those_of_a_loop(scheme, draw_example):
    """Against a model that calls every bright pixel a dislocation."""
    examples = [draw_example((30, 44)), draw_example((25, 37), seed=1)]
    class_map = examples[0].class_map.copy()
    class_map[:, :9] = NOT_ANNOTATED
    examples[0] = LoadedExample(examples[0].micrograph, class_map)
    store = load_store(examples, scheme)
    result = validate(
        lambda images: (2 * tf.cast(images[..., 0] > 0.7, tf.int32), images),
        store,
        scheme,
        stride=8,
    )
    expected = np.zeros((3, 3), int)
    for index in range(2):
        image, truth = store.example(index)
        for row, column in np.ndindex(image.shape):
            if truth[row, column] != NOT_ANNOTATED:
                predicted = 2 if image[row, column] > 0.7 else 0
                expected[truth[row, column], predicted] += 1
    np.testing.assert_array_equal(result.counts, expected)
    iou = expected[2, 2] / (expected[2].sum() + expected[:, 2].sum() - expected[2, 2])
    assert result.scores.iou[2] == pytest.approx(iou)
    assert result.scores.mean_defect_iou == pytest.approx((0 + iou) / 2)
    assert result.details is None


@pytest.mark.parametrize("num_classes", [1, 3])
def test_probabilities_come_in_tiles(build_tiny_model, num_classes):
    forward = compile_forward(build_tiny_model(num_classes))
    image = np.random.default_rng(1).uniform(size=(50, 71)).astype(np.float32)
    probability_map = np.zeros((50, 71, max(num_classes, 2)))

    def on_tile(where, tile):
        assert not probability_map[where].any()
        probability_map[where] = tile

    sizes = {"stride": 2, "tile_px": 32, "halo_px": 8}
    class_map = predict_class_map(forward, image, **sizes, on_tile=on_tile)
    np.testing.assert_allclose(probability_map.sum(axis=-1), 1, atol=1e-6)
    np.testing.assert_array_equal(probability_map.argmax(axis=-1), class_map)


def test_details_are_of_the_same_prediction(build_tiny_model, scheme, draw_example):
    store = load_store([draw_example((30, 44)), draw_example((25, 37), seed=1)], scheme)
    forward = compile_forward(build_tiny_model())
    result = validate(forward, store, scheme, stride=2, shown=(1,))
    (field,) = result.details.fields
    image, truth = store.example(1)
    np.testing.assert_array_equal(field.image, image)
    np.testing.assert_array_equal(field.annotation, truth)
    np.testing.assert_array_equal(
        field.prediction, predict_class_map(forward, image, stride=2)
    )
    for index in (1, 2):
        counts = result.details.reliability[index]
        assert counts.pixels.sum() == result.counts.sum()
        assert counts.right.sum() == result.counts[index].sum()
