import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from defectkeras.core.errors import RegistryError
from defectkeras.models.build import build_model
from defectkeras.prediction.postprocess import apply_thresholds
from defectkeras.registry.golden import predict_with_keras, prepare_tiles
from defectkeras.registry.saved_model.export import export_saved_model
from defectkeras.registry.saved_model.folding import fold_batch_norms

SHAPES = [(8, 16), (37, 53), (5, 3), (64, 24)]


@pytest.fixture(scope="module", params=[1, 2, 3], ids=["1 logit", "2", "3"])
def exported(request, make_model, make_card, tmp_path_factory):
    """A model, its card and where it lies as a SavedModel."""
    model, card = make_model(request.param), make_card(max(request.param, 2))
    folder = tmp_path_factory.mktemp("export") / "1"
    export_saved_model(model, folder, stride=8, low_percent=0.1, high_percent=99.9)
    return model, card, folder


def micrographs(shape, count=2):
    random = np.random.default_rng(1)
    return random.integers(0, 65_536, (count, *shape)).astype(np.float32)


def run_in_session(folder, signature, image):
    """Run a signature as TensorFlow Serving does: by names, in a session."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        loaded = v1.saved_model.loader.load(session, ["serve"], str(folder))
        names = loaded.signature_def[signature]
        fetches = {key: info.name for key, info in names.outputs.items()}
        return session.run(fetches, {names.inputs["image"].name: image})


def test_signatures_are_the_contract(exported):
    _, card, folder = exported
    signatures = tf.saved_model.load(str(folder)).signatures
    dtypes = {
        "serving_default": tf.float32,
        "serve_uint8": tf.uint8,
        "serve_uint16": tf.uint16,
        "tiles": tf.float32,
    }
    assert set(signatures) == {*dtypes, "serve_encoded"}
    classes = card.scheme.num_classes
    for name, dtype in dtypes.items():
        signature = signatures[name]
        image = signature.structured_input_signature[1]["image"]
        assert (image.shape.as_list(), image.dtype) == ([None] * 3 + [1], dtype)
        told = signature.structured_outputs["probability_map"]
        assert (told.shape.as_list()[-1], told.dtype) == (classes, tf.float32)
        if name != "tiles":
            class_map = signature.structured_outputs["class_map"]
            assert (class_map.shape.rank, class_map.dtype) == (3, tf.uint8)
    assert set(signatures["tiles"].structured_outputs) == {"probability_map"}
    encoded = signatures["serve_encoded"]
    assert set(encoded.structured_input_signature[1]) == {"image_bytes"}
    assert set(encoded.structured_outputs) == {"class_map_png_bytes"}


@pytest.mark.parametrize("shape", SHAPES)
def test_whole_micrographs_of_any_size(exported, shape):
    model, card, folder = exported
    images = micrographs(shape)
    signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
    outputs = signature(image=tf.constant(images[..., np.newaxis]))
    expected = np.stack([predict_with_keras(model, card, i) for i in images])
    found = outputs["probability_map"].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_array_equal(outputs["class_map"], found.argmax(axis=-1))
    assert expected.std() > 0.05, "a constant result would show nothing"


@pytest.mark.filterwarnings("ignore:.*saved_model")
def test_session_gives_the_same_for_every_signature(exported):
    model, card, folder = exported
    (image,) = micrographs((37, 53), count=1)
    expected = predict_with_keras(model, card, image)
    whole = run_in_session(folder, "serving_default", image[np.newaxis, ..., None])
    tiles = run_in_session(folder, "tiles", prepare_tiles(card, image))
    np.testing.assert_allclose(whole["probability_map"][0], expected, atol=1e-5)
    np.testing.assert_array_equal(whole["class_map"][0], expected.argmax(axis=-1))
    np.testing.assert_allclose(
        tiles["probability_map"][0, :37, :53], expected, atol=1e-5
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integer_grey_levels(exported, dtype):
    _, _, folder = exported
    levels = np.random.default_rng(2).integers(0, np.iinfo(dtype).max, (1, 21, 30, 1))
    signatures = tf.saved_model.load(str(folder)).signatures
    name = f"serve_{np.dtype(dtype).name}"
    found = signatures[name](image=tf.constant(levels.astype(dtype)))
    image = tf.constant(levels.astype(np.float32))
    expected = signatures["serving_default"](image=image)
    for key in ("class_map", "probability_map"):
        np.testing.assert_array_equal(found[key], expected[key])


def test_files_of_several_sizes_and_formats(exported):
    """PNG of 8 and of 16 bits, color, and JPEG; each comes back in its own size."""
    _, _, folder = exported
    random = np.random.default_rng(2)
    grey = [
        random.integers(0, 256, (21, 30, 1)).astype(np.uint8),
        random.integers(0, 65_536, (16, 9, 1)).astype(np.uint16),
    ]
    files = [tf.io.encode_png(image).numpy() for image in grey]
    files.append(tf.io.encode_png(np.repeat(grey[0], 3, axis=-1)).numpy())
    files.append(tf.io.encode_jpeg(grey[0], quality=95).numpy())
    signatures = tf.saved_model.load(str(folder)).signatures
    found = signatures["serve_encoded"](image_bytes=tf.constant(files))
    maps = [tf.io.decode_png(png).numpy() for png in found["class_map_png_bytes"]]
    assert [m.shape for m in maps] == [
        (21, 30, 1),
        (16, 9, 1),
        (21, 30, 1),
        (21, 30, 1),
    ]
    for image, class_map in zip(grey, maps, strict=False):
        whole = tf.constant(image[np.newaxis].astype(np.float32))
        expected = signatures["serving_default"](image=whole)["class_map"].numpy()
        assert (class_map[..., 0] == expected[0]).mean() > 0.999  # rounding of a tie
    np.testing.assert_array_equal(maps[2], maps[0])


def test_thresholds_are_in_the_graph(make_model, tmp_path):
    model = make_model(3)
    options = {"stride": 8, "low_percent": 0.1, "high_percent": 99.9}
    export_saved_model(model, tmp_path / "1", **options, thresholds=(0.2, 0.9))
    signature = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]
    image = np.random.default_rng(5).random((1, 40, 56, 1)).astype(np.float32)
    outputs = signature(image=tf.constant(image))
    probability_map = outputs["probability_map"].numpy()[0]
    expected = apply_thresholds(probability_map, (0.2, 0.9))
    np.testing.assert_array_equal(outputs["class_map"][0], expected)
    assert np.any(expected != probability_map.argmax(axis=-1))


def count_stored(folder):
    """Count the values in the checkpoint of a SavedModel."""
    stored = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
    shapes = stored.get_variable_to_shape_map()
    shapes.pop("_CHECKPOINTABLE_OBJECT_GRAPH")
    return sum(int(np.prod(shape)) for shape in shapes.values())


def test_every_weight_is_stored_once(exported):
    model, _, folder = exported
    assert count_stored(folder) == fold_batch_norms(model).count_params()


def test_no_operation_needs_xla_or_python(exported):
    _, _, folder = exported
    saved = saved_model_pb2.SavedModel.FromString(
        (folder / "saved_model.pb").read_bytes()
    )
    functions = saved.meta_graphs[0].graph_def.library.function
    assert not any("_XlaMustCompile" in f.attr for f in functions)
    operations = {node.op for f in functions for node in f.node_def}
    assert operations
    assert not operations & {"PyFunc", "EagerPyFunc", "ReadFile", "WriteFile"}


@pytest.mark.filterwarnings("ignore:.*saved_model")
def test_defect_seg_net(make_card, tmp_path):
    keras.utils.set_random_seed(1)
    model = build_model("defectsegnet", num_classes=1, variant="released")
    card = make_card(2)
    folder = tmp_path / "1"
    export_saved_model(model, folder, stride=8, low_percent=0.1, high_percent=99.9)
    (image,) = micrographs((37, 53), count=1)
    expected = predict_with_keras(model, card, image)
    found = run_in_session(folder, "serving_default", image[np.newaxis, ..., None])
    np.testing.assert_allclose(found["probability_map"][0], expected, atol=1e-5)
    assert count_stored(folder) == fold_batch_norms(model).count_params()


def test_mixed_precision_is_served_in_float32(make_card, tmp_path):
    keras.utils.set_random_seed(3)
    image = keras.Input((None, None, 1))
    hidden = keras.layers.Conv2D(6, 3, padding="same", dtype="mixed_bfloat16")(image)
    logits = keras.layers.Conv2D(3, 3, padding="same", dtype="mixed_bfloat16")(hidden)
    model = keras.Model(image, logits)
    export_saved_model(
        model, tmp_path / "1", stride=8, low_percent=0.1, high_percent=99.9
    )
    (raw,) = micrographs((20, 12), count=1)
    outputs = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"](
        image=tf.constant(raw[np.newaxis, ..., np.newaxis])
    )
    assert outputs["probability_map"].dtype == tf.float32
    expected = predict_with_keras(model, make_card(), raw)
    np.testing.assert_allclose(outputs["probability_map"][0], expected, atol=3e-2)


def test_place_that_cannot_be_written_is_told(model, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RegistryError, match="must be written to"):
        export_saved_model(
            model, tmp_path / "file" / "1", stride=8, low_percent=0.1, high_percent=99.9
        )
