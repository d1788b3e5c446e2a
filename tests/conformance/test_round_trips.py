"""Every architecture gives the same logits from a file, and for images of a batch."""

import keras
import numpy as np
import tensorflow as tf

from defectkeras.registry.rounding import in_float64


def test_keras_file_gives_equal_output(case, ramp_model, draw_image, tmp_path):
    ramp_model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    image = draw_image(*case.fit(24, 40))
    np.testing.assert_array_equal(ramp_model(image), loaded(image))


def test_copy_in_float64_gives_equal_output(case, ramp_model, draw_image, assert_near):
    """Publishing holds the export against it."""
    image = draw_image(*case.fit(24, 40))
    assert_near(ramp_model(image), in_float64(ramp_model)(image), tolerance=1e-4)


def test_saved_model_gives_equal_output(
    case, ramp_model, draw_image, assert_near, tmp_path
):
    archive = keras.export.ExportArchive()
    archive.add_endpoint(
        name="serve",
        fn=lambda image: ramp_model(image, training=False),
        input_signature=[tf.TensorSpec((None, None, None, 1), tf.float32, "image")],
    )
    archive.write_out(tmp_path / "1", verbose=False)
    served = tf.saved_model.load(tmp_path / "1").signatures["serve"]
    for size, batch in ((case.fit(24, 40), 1), (case.fit(16, 32), 2)):
        image = draw_image(*size, batch=batch)
        (logits,) = served(image=tf.constant(image)).values()
        assert_near(ramp_model(image), logits)
    stored = sum(f.stat().st_size for f in (tmp_path / "1" / "variables").iterdir())
    assert stored < 1.2 * 4 * ramp_model.count_params()  # each weight once


def test_batch_of_two_is_two_batches_of_one(case, ramp_model, draw_image, assert_near):
    images = draw_image(*case.fit(24, 40), batch=2)
    alone = np.concatenate([ramp_model(images[:1]), ramp_model(images[1:])])
    assert_near(ramp_model(images), alone)
