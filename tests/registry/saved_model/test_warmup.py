import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from defectkeras.registry.golden import read_golden
from defectkeras.registry.manifest import read_manifest
from defectkeras.registry.saved_model.warmup import LARGEST_PX, WARMUP, write_warmup

SIGNATURES = [
    "serving_default",
    "serve_uint8",
    "serve_uint16",
    "serve_encoded",
    "tiles",
]


def read(folder):
    records = tf.data.TFRecordDataset(str(folder / WARMUP)).as_numpy_iterator()
    return [PredictionLog.FromString(record).predict_log.request for record in records]


def test_the_official_proto_reads_a_request_for_each_signature(registry):
    folder = registry.resolve("tiny").path
    requests = read(folder)
    assert [r.model_spec.signature_name for r in requests] == SIGNATURES
    assert {r.model_spec.name for r in requests} == {"tiny"}
    image = tf.make_ndarray(requests[0].inputs["image"])
    golden = read_golden(folder).image[:LARGEST_PX, :LARGEST_PX]
    np.testing.assert_array_equal(image[0, :, :, 0], golden)
    assert WARMUP.as_posix() in read_manifest(folder).files


def test_a_session_answers_each_as_the_server_would(registry):
    folder = registry.resolve("tiny").path
    requests = read(folder)
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(folder))
        for request in requests:
            definition = loaded.signature_def[request.model_spec.signature_name]
            feed = {
                definition.inputs[name].name: tf.make_ndarray(tensor)
                for name, tensor in request.inputs.items()
            }
            fetch = {n: info.name for n, info in definition.outputs.items()}
            for value in session.run(fetch, feed).values():
                assert value.size > 0


@pytest.mark.parametrize("shape", [(3, 5), (8, 17), (40, 9)])
def test_small_and_flat_images_are_taken(tmp_path, shape):
    write_warmup(tmp_path, "tiny", np.full(shape, 7, np.float32), stride=8)
    tile = tf.make_ndarray(read(tmp_path)[-1].inputs["image"])
    assert tile.shape[1] % 8 == tile.shape[2] % 8 == 0
    assert np.isfinite(tile).all()
