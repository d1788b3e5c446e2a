import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pytest

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import CalibrationError, MicrographError, TrainingError
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.datasets.spec import Example
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.pipelines.augment import NO_AUGMENTATION
from defectkeras.pipelines.input_pipeline import PipelineConfig, build_training_dataset
from defectkeras.pipelines.store import load_store


def test_examples_come_back_as_they_were_read(scheme, draw_example):
    examples = [draw_example((30, 40)), draw_example((50, 20), seed=1)]
    store = load_store(examples, scheme)
    assert len(store) == 2
    assert store.names == ("field_0", "field_1")
    assert store.num_pixels == 30 * 40 + 50 * 20  # nothing is wasted on padding
    for index, example in enumerate(examples):
        image, class_map = store.example(index)
        expected = normalize_percentile(example.micrograph.pixels)
        np.testing.assert_array_equal(image, expected)
        np.testing.assert_array_equal(class_map, example.class_map)
        assert (image.dtype, class_map.dtype) == (np.float32, np.int32)


def test_examples_are_resampled_to_one_pixel_size(scheme, draw_example):
    example = draw_example((30, 40))  # of 1 nm per pixel
    store = load_store([example], scheme, target_pixel_size_nm=0.5)
    image, class_map = store.example(0)
    assert image.shape == class_map.shape == (60, 80)
    np.testing.assert_array_equal(class_map[::2, ::2], example.class_map)
    unknown = replace(example.micrograph, calibration=Calibration())
    with pytest.raises(CalibrationError, match="pixel size"):
        load_store(
            [replace(example, micrograph=unknown)], scheme, target_pixel_size_nm=0.5
        )


def test_pixels_are_counted_by_class(scheme, draw_example):
    example = draw_example((30, 40), classes=(2,))
    class_map = example.class_map.copy()
    class_map[:, :5] = NOT_ANNOTATED
    examples = [replace(example, class_map=class_map), draw_example((50, 20), seed=1)]
    store = load_store(examples, scheme)
    for counts, e in zip(store.class_counts, examples, strict=True):
        assert counts.tolist() == [int((e.class_map == k).sum()) for k in range(3)]


def test_defect_pixels_lie_class_after_class(scheme, draw_example):
    store = load_store([draw_example((30, 40)), draw_example((50, 20))], scheme)
    classes = store.class_maps.numpy()[store.defect_pixels.numpy()]
    starts = store.defect_starts.numpy()
    assert starts.tolist() == [0, *np.cumsum(store.class_counts.sum(axis=0)[1:])]
    assert (classes[: starts[1]] == 1).all()
    assert (classes[starts[1] :] == 2).all()


def test_a_file_in_place_of_memory_changes_no_number(
    scheme, draw_example, tmp_path, monkeypatch
):
    examples = [draw_example((60, 84)), draw_example((50, 40), seed=1)]
    stores = []
    for most_bytes in (10**6, 100):
        monkeypatch.setattr(
            "defectkeras.pipelines.store.most_bytes_in_memory", lambda m=most_bytes: m
        )
        stores.append(load_store(examples, scheme, folder=tmp_path / f"{most_bytes}"))
    in_memory, in_file = stores
    assert not (tmp_path / "1000000").exists()
    assert (tmp_path / "100").exists()
    for name in ("images", "class_maps", "defect_pixels", "defect_starts", "starts"):
        values = [getattr(store, name).numpy() for store in stores]
        np.testing.assert_array_equal(*values)
    np.testing.assert_array_equal(in_memory.class_counts, in_file.class_counts)
    config = PipelineConfig(patch_size=32, batch_size=3, augmentation=NO_AUGMENTATION)
    batches = [
        list(build_training_dataset(store, config, steps=4).as_numpy_iterator())
        for store in stores
    ]
    for first, second in zip(*batches, strict=True):
        np.testing.assert_array_equal(first[0], second[0])
        np.testing.assert_array_equal(first[1], second[1])


def test_absent_classes_are_left_out(scheme, draw_example):
    store = load_store([draw_example(classes=(2,))], scheme)
    assert store.defect_starts.shape == (2,)
    empty = load_store([draw_example(classes=())], scheme)
    assert empty.defect_pixels.shape == (0,)


def test_files_are_read_and_fingerprinted(scheme, draw_example, tmp_path):
    drawn = draw_example((30, 40))
    micrograph, annotation = tmp_path / "a.png", tmp_path / "a_mask.png"
    cv2.imwrite(str(micrograph), (drawn.micrograph.pixels / 8).astype(np.uint8))
    cv2.imwrite(str(annotation), drawn.class_map.astype(np.uint8))
    example = Example("set/a", micrograph, annotation, "train", "a", "set")
    store = load_store([example], scheme)
    np.testing.assert_array_equal(store.example(0)[1], drawn.class_map)
    assert store.names == ("set/a",)
    assert store.fingerprints[0] == {
        "micrograph": f"sha256:{hashlib.sha256(micrograph.read_bytes()).hexdigest()}",
        "annotation": f"sha256:{hashlib.sha256(annotation.read_bytes()).hexdigest()}",
    }


def test_damaged_file_is_named(scheme, draw_example, tmp_path):
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    example = Example("broken", path, path, "train", "broken", "set")
    with pytest.raises(MicrographError, match=r"broken\.png"):
        load_store([example], scheme)


def test_index_that_is_no_class_is_an_error(scheme, draw_example):
    """Some kernels on GPUs would turn it into NaN in silence."""
    example = draw_example()
    class_map = np.where(example.class_map == 2, 255, example.class_map)
    with pytest.raises(ValueError, match="from 0 to 2"):
        load_store([replace(example, class_map=class_map)], scheme)


def test_no_example_is_an_error(scheme):
    with pytest.raises(TrainingError, match="at least one example"):
        load_store([], scheme)


def test_too_many_classes_are_an_error(draw_example):
    classes = [DefectClass(0, "matrix", "matrix")]
    classes += [DefectClass(k, f"class_{k}", "region") for k in range(1, 128)]
    with pytest.raises(TrainingError, match="at most 127"):
        load_store([draw_example()], LabelScheme(tuple(classes)))
