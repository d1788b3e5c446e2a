import gc
import shutil
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.core.errors import RegistryError
from defectkeras.registry.load import (
    KERAS_FILE,
    check_predictions,
    load_model,
    load_predict_fn,
)
from defectkeras.registry.manifest import write_manifest
from defectkeras.registry.saved_model.graph import class_probabilities


def tiles(shape, seed=0):
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def test_predict_fn_gives_what_the_keras_model_gives(registry, model):
    predict_fn = load_predict_fn(registry.resolve("tiny"))
    for shape in ((1, 8, 8, 1), (3, 16, 40, 1)):
        batch = tiles(shape)
        found = predict_fn(batch)
        assert (found.shape, found.dtype) == ((*shape[:3], 3), np.float32)
        expected = class_probabilities(model(batch, training=False)).numpy()
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_gpu_is_to_predict_in_full_float32(registry):
    settings = tf.config.experimental
    settings.enable_tensor_float_32_execution(True)
    load_predict_fn(registry.resolve("tiny"))
    assert not settings.tensor_float_32_execution_enabled()


def test_predict_fn_owns_its_weights(registry):
    predict_fn = load_predict_fn(registry.resolve("tiny"))
    gc.collect()
    shutil.rmtree(registry.root)
    assert predict_fn(tiles((1, 8, 16, 1))).shape == (1, 8, 16, 3)


def test_several_threads_may_predict_at_once(registry):
    predict_fn = load_predict_fn(registry.resolve("tiny"))
    batches = [tiles((1 + i % 3, 8, 16, 1), seed=i) for i in range(40)]
    alone = [predict_fn(batch) for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(predict_fn, batches))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_keras_model_comes_back_without_optimizer(registry, model):
    loaded = load_model(registry.resolve("tiny"))
    assert not loaded.compiled
    for one, other in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("load", [load_predict_fn, load_model])
@pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index"])
def test_damage_is_told_before_anything_is_loaded(registry, load, name):
    version = registry.resolve("tiny")
    content = bytearray((version.path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (version.path / name).write_bytes(content)
    with pytest.raises(RegistryError, match=f"but {name} was changed"):
        load(version)


def test_lambda_in_a_keras_file_is_not_run(registry, tmp_path):
    marker = tmp_path / "marker"
    code = f"__import__('pathlib').Path({str(marker)!r}).touch()"
    image = keras.Input((None, None, 1))
    layer = keras.layers.Lambda(lambda x: (exec(code), x)[1])
    evil = keras.Model(image, layer(image))
    marker.unlink(missing_ok=True)
    version = registry.resolve("tiny")
    evil.save(version.path / KERAS_FILE)
    write_manifest(version.path)
    with pytest.raises(RegistryError, match=r"model\.keras cannot be loaded"):
        load_model(version)
    assert not marker.exists()


def test_version_whose_weights_were_swapped_gives_other_results(registry, make_model):
    folder = registry.resolve("tiny").path
    check_predictions(folder)
    make_model(seed=5).save(folder / KERAS_FILE)
    with pytest.raises(RegistryError, match=r"model\.keras must give the golden"):
        check_predictions(folder)


def test_saved_model_without_our_signatures_is_told(registry, model):
    folder = registry.resolve("tiny").path
    shutil.rmtree(folder / "variables")
    model.export(folder, verbose=False)
    with pytest.raises(RegistryError, match="must have the signature 'tiles'"):
        check_predictions(folder)


def test_half_a_saved_model_is_told(registry):
    folder = registry.resolve("tiny").path
    (folder / "saved_model.pb").write_bytes(b"")
    with pytest.raises(RegistryError, match=r"cannot be loaded|must have"):
        check_predictions(folder)
