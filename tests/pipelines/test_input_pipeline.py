import time
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.errors import TrainingError
from defectkeras.pipelines.augment import NO_AUGMENTATION, Augmentation
from defectkeras.pipelines.input_pipeline import (
    PipelineConfig,
    Share,
    build_training_dataset,
    draw_patch,
    names_in_batch,
    require_known_cardinality,
)
from defectkeras.pipelines.store import load_store

CONFIG = PipelineConfig(patch_size=32, batch_size=3, seed=5)


@pytest.fixture
def store(scheme, draw_example):
    return load_store([draw_example((60, 84)), draw_example((50, 40), seed=1)], scheme)


def batches_of(dataset):
    return list(dataset.as_numpy_iterator())


def assert_equal_batches(first, second):
    assert len(first) == len(second)
    for (image, class_map), (other_image, other_class_map) in zip(
        first, second, strict=True
    ):
        np.testing.assert_array_equal(image, other_image)
        np.testing.assert_array_equal(class_map, other_class_map)


def test_batches_have_stated_shapes_and_types(store):
    dataset = build_training_dataset(store, CONFIG, steps=2)
    image, class_map = dataset.element_spec
    assert (image.shape, image.dtype) == ((3, 32, 32, 1), tf.float32)
    assert (class_map.shape, class_map.dtype) == ((3, 32, 32), tf.int32)
    for image, class_map in batches_of(dataset):
        assert 0 <= image.min() <= image.max() <= 1
        assert set(np.unique(class_map)) <= {0, 1, 2}


def test_cardinality_is_known(store):
    dataset = build_training_dataset(store, CONFIG, epochs=3, steps=4)
    assert require_known_cardinality(dataset) == 12
    assert len(batches_of(dataset)) == 12


def test_unknown_or_endless_cardinality_is_refused(store):
    dataset = build_training_dataset(store, CONFIG, steps=4)
    for wrong in (dataset.filter(lambda image, class_map: True), dataset.repeat()):
        with pytest.raises(ValueError, match="number of batches"):
            require_known_cardinality(wrong)


def test_patch_is_a_pure_function_of_seed_epoch_and_index(store):
    dataset = build_training_dataset(store, CONFIG, epoch=4, epochs=2, steps=2)
    images = np.concatenate([image for image, _ in batches_of(dataset)])
    for number in (11, 0, 7, 3):  # in any order
        image, _ = draw_patch(store, CONFIG, 4 + number // 6, number % 6)
        np.testing.assert_allclose(image, images[number], atol=2e-6)


def test_order_does_not_depend_on_threads(store):
    dataset = build_training_dataset(store, CONFIG, steps=5)
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    assert_equal_batches(batches_of(dataset), batches_of(dataset.with_options(options)))


def test_a_later_epoch_can_be_built_alone(store):
    all_epochs = batches_of(build_training_dataset(store, CONFIG, epochs=3, steps=2))
    last = batches_of(build_training_dataset(store, CONFIG, epoch=2, steps=2))
    assert_equal_batches(all_epochs[4:], last)


def test_epochs_and_seeds_differ(store):
    def first_of(config, epoch):
        dataset = build_training_dataset(store, config, epoch=epoch, steps=1)
        return batches_of(dataset)[0][0]

    image = first_of(CONFIG, 0)
    assert (image != first_of(CONFIG, 1)).any()
    assert (image != first_of(replace(CONFIG, seed=6), 0)).any()


def test_small_micrograph_is_padded_and_not_annotated_there(scheme, draw_example):
    store = load_store([draw_example((20, 28))], scheme)
    config = replace(CONFIG, augmentation=NO_AUGMENTATION)
    for _, class_map in batches_of(build_training_dataset(store, config, steps=2)):
        for patch in class_map:
            assert (patch != NOT_ANNOTATED).sum() == 20 * 28


def test_scale_enlarges_image_and_class_map_alike(scheme, draw_example):
    store = load_store([draw_example((90, 120), radius=9.0, classes=(1,))], scheme)
    for factor in (0.8, 1.0, 1.5):
        config = PipelineConfig(
            patch_size=64,
            batch_size=16,
            rare_class_fraction=1.0,
            augmentation=replace(NO_AUGMENTATION, scale_range=(factor, factor)),
        )
        image, class_map = batches_of(build_training_dataset(store, config, steps=1))[0]
        assert set(np.unique(class_map)) <= {0, 1}
        agreement = ((image[..., 0] < 0.25) == (class_map == 1)).mean()
        assert agreement > 0.98
        largest = max((patch == 1).sum() for patch in class_map)  # a whole disc
        assert largest == pytest.approx(np.pi * (9.0 * factor) ** 2, rel=0.06)


def test_random_scale_stays_in_range(scheme, draw_example):
    store = load_store([draw_example((90, 120), classes=(1,))], scheme)
    augmentation = replace(NO_AUGMENTATION, scale_range=(0.5, 2.0))
    config = replace(CONFIG, rare_class_fraction=1.0, augmentation=augmentation)
    image, class_map = batches_of(build_training_dataset(store, config, steps=1))[0]
    assert image.shape == (3, 32, 32, 1)
    assert set(np.unique(class_map)) <= {NOT_ANNOTATED, 0, 1}


def test_names_in_batch_are_those_that_were_drawn(scheme, draw_example):
    examples = [draw_example(classes=(1,)), draw_example(classes=(2,), seed=1)]
    store = load_store(examples, scheme)
    config = replace(CONFIG, batch_size=2, rare_class_fraction=1.0)
    dataset = build_training_dataset(store, config, epoch=1, steps=8)
    seen = set()
    for step, (_, class_map) in enumerate(batches_of(dataset)):
        names = names_in_batch(store, config, epoch=1, step=step)
        drawn = {f"field_{k - 1}" for k in np.unique(class_map) if k > 0}
        assert set(names) == drawn
        seen.add(names)
    assert len(seen) > 1


@pytest.mark.parametrize(
    "wrong",
    [{"patch_size": 0}, {"batch_size": 0}, {"rare_class_fraction": 1.5}],
)
def test_wrong_settings_are_errors(wrong):
    with pytest.raises(TrainingError, match=next(iter(wrong))):
        PipelineConfig(**wrong)


@pytest.mark.slow
def test_pipeline_is_five_times_as_fast_as_the_training_step(scheme, draw_example):
    from defectkeras.losses import build_loss
    from defectkeras.models import build_model

    store = load_store([draw_example((512, 640), seed=k) for k in range(3)], scheme)
    config = PipelineConfig(batch_size=4, augmentation=Augmentation())  # 256 x 256
    model = build_model("defectsegnet", num_classes=3)
    optimizer = keras.optimizers.AdamW()
    optimizer.build(model.trainable_variables)  # else the step is traced twice
    model.compile(optimizer, build_loss("ce", num_classes=3), jit_compile=False)
    batches = iter(build_training_dataset(store, config, steps=31))
    image, class_map = next(batches)
    started = time.perf_counter()
    for _ in batches:
        pass
    pipeline_seconds = (time.perf_counter() - started) / 30
    model.train_on_batch(image, class_map)
    started = time.perf_counter()
    for _ in range(2):
        model.train_on_batch(image, class_map)
    step_seconds = (time.perf_counter() - started) / 2
    assert step_seconds > 5 * pipeline_seconds


def test_shares_are_the_same_patches_as_whole_batches(store):
    config = replace(CONFIG, batch_size=8)
    whole = batches_of(build_training_dataset(store, config, epochs=2, steps=2))
    parts = [
        batches_of(
            build_training_dataset(
                store,
                config,
                epochs=2,
                steps=2,
                share=Share(worker=worker, workers=2, pieces=2),
            )
        )
        for worker in range(2)
    ]
    joined = [
        tuple(
            np.concatenate([piece[k] for part in parts for piece in part[n : n + 2]])
            for k in range(2)
        )
        for n in range(0, 8, 2)
    ]
    assert_equal_batches(joined, whole)


def test_first_steps_can_be_left_out(store):
    whole = batches_of(build_training_dataset(store, CONFIG, epochs=2, steps=3))
    rest = build_training_dataset(store, CONFIG, epochs=2, steps=3, first_step=2)
    assert require_known_cardinality(rest) == 4
    assert_equal_batches(batches_of(rest), whole[2:])


def test_batch_that_does_not_part_evenly_is_a_slip(store):
    with pytest.raises(ValueError, match="part evenly"):
        build_training_dataset(store, CONFIG, steps=1, share=Share(pieces=2))
