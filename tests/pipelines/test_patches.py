from dataclasses import replace

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.pipelines.patches import Window, cut_window, draw_window
from defectkeras.pipelines.store import load_store


def draw_many(store, size, count, *, rare_class_fraction):
    """Draw many windows in one graph; give (count, 3): example, top, left."""

    def draw(number):
        seed = tf.stack([number, 7])
        window = draw_window(
            store, seed, tf.constant(size), rare_class_fraction=rare_class_fraction
        )
        return tf.stack([window.example, window.top, window.left])

    return np.array(list(tf.data.Dataset.range(count).map(draw).as_numpy_iterator()))


def test_windows_lie_in_the_micrograph(scheme, draw_example):
    shapes = [(60, 84), (33, 41)]
    store = load_store([draw_example(s) for s in shapes], scheme)
    for example, top, left in draw_many(store, 33, 300, rare_class_fraction=0.5):
        height, width = shapes[example]
        assert 0 <= top <= height - 33
        assert 0 <= left <= width - 33


def test_windows_reach_all_borders(scheme, draw_example):
    store = load_store([draw_example((60, 84))], scheme)
    windows = draw_many(store, 48, 500, rare_class_fraction=0.0)
    assert set(windows[:, 1]) == set(range(60 - 48 + 1))
    assert set(windows[:, 2]) == set(range(84 - 48 + 1))


def test_larger_window_covers_a_small_micrograph(scheme, draw_example):
    store = load_store([draw_example((20, 30))], scheme)
    for _, top, left in draw_many(store, 48, 100, rare_class_fraction=0.5):
        assert top <= 0
        assert top + 48 >= 20
        assert left <= 0
        assert left + 48 >= 30


@settings(max_examples=25, deadline=None)
@given(top=st.integers(-50, 60), left=st.integers(-60, 70), size=st.integers(1, 40))
def test_window_is_mirrored_beyond_the_micrograph(top, left, size):
    image = np.arange(12 * 17, dtype=np.float32).reshape(12, 17)
    class_map = (np.arange(12 * 17).reshape(12, 17) % 3).astype(np.int8)
    store = make_store(image, class_map)
    patch, classes = cut_window(store, Window(tf.constant(0), top, left, size))
    pad = 120
    mirrored = np.pad(image, pad, mode="symmetric")
    blank = np.pad(class_map.astype(int), pad, constant_values=NOT_ANNOTATED)
    rows, columns = (slice(pad + edge, pad + edge + size) for edge in (top, left))
    np.testing.assert_array_equal(patch[..., 0], mirrored[rows, columns])
    np.testing.assert_array_equal(classes, blank[rows, columns])


def make_store(image, class_map):
    from defectkeras.pipelines.store import ImageStore

    return ImageStore(
        names=("ramp",),
        fingerprints=(None,),
        images=tf.constant(image.reshape(-1)),
        class_maps=tf.constant(class_map.reshape(-1)),
        starts=tf.constant([0], tf.int64),
        shapes=tf.constant([image.shape], tf.int64),
        class_counts=np.ones((1, 3), np.int64),
        defect_pixels=tf.constant([], tf.int64),
        defect_starts=tf.constant([0], tf.int64),
    )


def test_second_micrograph_is_cut_at_its_own_place(scheme, draw_example):
    examples = [draw_example((30, 40)), draw_example((50, 20), seed=1)]
    store = load_store(examples, scheme)
    window = Window(
        tf.constant(1), tf.constant(7, tf.int64), tf.constant(3, tf.int64), 16
    )
    patch, classes = cut_window(store, window)
    np.testing.assert_array_equal(patch[..., 0], store.example(1)[0][7:23, 3:19])
    np.testing.assert_array_equal(classes, examples[1].class_map[7:23, 3:19])


def test_rare_and_frequent_defects_are_seen_equally_often(scheme, draw_example):
    example = draw_example((200, 300), classes=())
    class_map = np.zeros((200, 300), np.int32)
    class_map[20, 20] = 1  # one pixel
    class_map[100:200, 150:300] = 2  # 15,000 pixels
    store = load_store([replace(example, class_map=class_map)], scheme)
    windows = draw_many(store, 16, 400, rare_class_fraction=1.0)
    has_rare = (abs(windows[:, 1] - 12.5) <= 8) & (abs(windows[:, 2] - 12.5) <= 8)
    assert 0.42 < has_rare.mean() < 0.58  # four standard deviations
    # the drawn pixel falls anywhere in the patch
    assert np.ptp(windows[has_rare, 1]) == 15
    assert np.ptp(windows[has_rare, 2]) == 15


def test_part_of_the_patches_is_drawn_anywhere(scheme, draw_example):
    example = draw_example((200, 300), classes=())
    class_map = np.zeros((200, 300), np.int32)
    class_map[20, 20] = 1
    store = load_store([replace(example, class_map=class_map)], scheme)
    windows = draw_many(store, 8, 400, rare_class_fraction=0.25)
    has_defect = (abs(windows[:, 1] - 16.5) <= 4) & (abs(windows[:, 2] - 16.5) <= 4)
    assert 0.17 < has_defect.mean() < 0.33


def test_micrographs_are_drawn_by_their_size(scheme, draw_example):
    store = load_store([draw_example((30, 40)), draw_example((90, 40))], scheme)
    windows = draw_many(store, 8, 400, rare_class_fraction=0.0)
    assert 0.17 < (windows[:, 0] == 0).mean() < 0.33


def test_without_defects_all_is_drawn_anywhere(scheme, draw_example):
    store = load_store([draw_example(classes=())], scheme)
    assert len(draw_many(store, 8, 20, rare_class_fraction=1.0)) == 20
