"""Let tensorflow-addons compute what test_addons.py compares with.

    .venv-addons/bin/python tests/addons/oracle.py FOLDER

It runs in the second environment, with TensorFlow 2.15 and Keras 2. In FOLDER it
leaves unpooling.npz, focal.npz, and two small networks, a SegNet of addons and one of
models within the model: segnet.h5, segnet.keras and segnet_saved/, with segnet.npz
holding an input in [0, 1] and what the network makes of it, and the same of nested.
"""

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa
from tensorflow import keras

DTYPES = ("float32", "float16")

# Those that MaxUnpooling2D supports: no overlap, and no rest at the edges.
UNPOOLING = [
    {"pool": (2, 2), "strides": (2, 2), "padding": "SAME", "size": (6, 8)},
    {"pool": (2, 2), "strides": (2, 2), "padding": "VALID", "size": (8, 10)},
    {"pool": (3, 3), "strides": (3, 3), "padding": "SAME", "size": (6, 9)},
    {"pool": (2, 1), "strides": (2, 1), "padding": "SAME", "size": (4, 5)},
    {"pool": (2, 3), "strides": (3, 4), "padding": "VALID", "size": (8, 11)},
]
FOCAL = [{"alpha": 0.25, "gamma": 2.0}, {"alpha": 0.6, "gamma": 1.5}]


def unpool(case, dtype, random):
    """Pool and unpool, with the gradients of both."""
    levels = random.integers(-4, 5, (2, *case["size"], 3))  # with many ties
    images = tf.constant(levels.astype(dtype))
    geometry = case["pool"], case["strides"], case["padding"]
    with tf.GradientTape() as tape:
        tape.watch(images)
        pooled, indices = tf.nn.max_pool_with_argmax(images, *geometry)
    upstream = random.normal(size=pooled.shape).astype(dtype)
    of_images = tape.gradient(pooled, images, tf.constant(upstream))
    values = tf.constant(random.normal(size=pooled.shape).astype(dtype))
    with tf.GradientTape() as tape:
        tape.watch(values)
        unpooled = tfa.layers.MaxUnpooling2D(*geometry, dtype=dtype)(values, indices)
    of_unpooled = random.normal(size=unpooled.shape).astype(dtype)
    of_values = tape.gradient(unpooled, values, tf.constant(of_unpooled))
    return {
        "images": images,
        "pooled": pooled,
        "indices": indices,
        "pooled_upstream": upstream,
        "images_gradient": of_images,
        "values": values,
        "unpooled": unpooled,
        "unpooled_upstream": of_unpooled,
        "values_gradient": of_values,
    }


def focal(case, dtype, random):
    """Focal loss of the logits of 12 pixels with 3 classes each, with the gradient."""
    y_true = random.integers(0, 2, (12, 3)).astype(dtype)
    y_pred = tf.constant(random.normal(0, 2, (12, 3)).astype(dtype))
    focal_loss = tfa.losses.SigmoidFocalCrossEntropy(from_logits=True, **case)
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        loss = focal_loss(tf.constant(y_true), y_pred)
    gradient = tape.gradient(loss, y_pred)
    return {"y_true": y_true, "y_pred": y_pred, "loss": loss, "gradient": gradient}


def write_cases(path, cases, compute):
    """Write the arrays of each case and dtype under "number/dtype/name"."""
    arrays = {"cases": json.dumps(cases)}
    for number, case in enumerate(cases):
        for dtype in DTYPES:
            results = compute(case, dtype, np.random.default_rng(number))
            for name, array in results.items():
                arrays[f"{number}/{dtype}/{name}"] = np.asarray(array)
    np.savez(path, **arrays)


def build_segnet():
    """Build a SegNet of two levels, with every layer of addons that is imported."""
    layers = keras.layers
    image = keras.Input((32, 48, 1), name="image")
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    x = layers.BatchNormalization()(x)
    x, fine = tf.nn.max_pool_with_argmax(x, ksize=2, strides=2, padding="SAME")
    x = tfa.layers.WeightNormalization(layers.Conv2D(6, 3, padding="same"))(x)
    x = layers.LeakyReLU(0.1)(tfa.layers.GroupNormalization(groups=2)(x))
    x, coarse = tf.nn.max_pool_with_argmax(x, ksize=2, strides=2, padding="SAME")
    x = tfa.layers.MaxUnpooling2D()(x, coarse)
    x = layers.SeparableConv2D(4, 3, padding="same")(x)
    x = layers.Activation("relu")(tfa.layers.InstanceNormalization()(x))
    x = tfa.layers.MaxUnpooling2D()(x, tf.cast(fine, tf.int32))
    skip = layers.Conv2D(4, 1)(image)
    x = layers.Conv2DTranspose(5, 3, padding="same")(layers.Concatenate()([x, skip]))
    x = layers.Dropout(0.3)(x)
    return keras.Model(
        image, layers.Conv2D(3, 3, padding="same", activation="softmax")(x)
    )


def build_nested():
    """Build a network of color as others write them: models within the model."""
    layers = keras.layers
    encoder_image = keras.Input((32, 48, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="swish")(encoder_image)
    spare = layers.Conv2D(4, 3, padding="same")(x)  # that nothing uses
    fine = layers.DepthwiseConv2D(3, padding="same")(layers.BatchNormalization()(x))
    coarse = layers.Conv2D(4, 3, padding="same")(
        tf.nn.relu(layers.MaxPooling2D()(fine))
    )
    encoder = keras.Model(encoder_image, [spare, fine, coarse])
    decoder = keras.Sequential(
        [layers.SeparableConv2D(5, 3, padding="same"), layers.BatchNormalization()]
    )
    image = keras.Input((32, 48, 3))
    _, fine, coarse = encoder(layers.Lambda(lambda x: x / 127.5 - 1)(image))
    gate = layers.GlobalAveragePooling2D()(coarse)
    gate = layers.Dense(5, activation="sigmoid")(layers.Reshape((1, 1, 4))(gate))
    x = layers.Multiply()([decoder(coarse) * 0.5 + 1.0, gate])
    x = tf.concat([tf.image.resize(x, (32, 48)), fine], axis=-1)
    head = keras.Sequential([layers.Conv2D(3, 1), layers.Activation("softmax")])
    return keras.Model(image, head(x))


def write_model(folder, name, model, white):
    """Train a small model for a few steps, and save it in every form of Keras 2."""
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(1)
    class_map = random.integers(0, 3, (8, 32, 48))
    images = class_map[..., None] / 2 + random.normal(0, 0.1, (8, 32, 48, 1))
    images = white * np.repeat(images, model.input_shape[-1], axis=-1)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(images, class_map, epochs=3, verbose=0)
    model.save(folder / f"{name}.h5")
    model.save(folder / f"{name}.keras")
    model.save(folder / f"{name}_saved")
    probability_map = model.predict(images[:2], verbose=0)
    np.savez(
        folder / f"{name}.npz",
        images=images[:2, ..., :1] / white,
        probability_map=probability_map,
    )


def main():
    """Write everything into the folder that is named."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    write_cases(folder / "unpooling.npz", UNPOOLING, unpool)
    write_cases(folder / "focal.npz", FOCAL, focal)
    write_model(folder, "segnet", build_segnet(), white=1)
    write_model(folder, "nested", build_nested(), white=255)


if __name__ == "__main__":
    main()
