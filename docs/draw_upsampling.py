"""Draw what each way of upsampling makes of a disc and a step: images/upsampling.png.

python docs/draw_upsampling.py
"""

from pathlib import Path
from typing import Any

import keras
import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from defectkeras.models.upsampling import UPSAMPLING_METHODS, halve, upsample

mpl.use("agg")

PICTURE = Path(__file__).parent / "images" / "upsampling.png"
SHAPE = (48, 64)


def draw_disc_and_step() -> NDArray[np.float32]:
    """Draw a smooth disc beside a step edge: (1, H, W, 1) in [0, 1]."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    radius = np.hypot(y - 23.5, x - 19.5)
    disc = 1 / (1 + np.exp((radius - 13) / 0.8))
    step = np.where(x + 0.25 * y > 54, 0.7, 0.0)
    image = 0.15 + 0.75 * np.maximum(disc, step)
    return image[np.newaxis, :, :, np.newaxis].astype(np.float32)


def make_positive(model: keras.Model) -> None:
    """Turn random kernels into positive ones that keep the mean grey level."""
    for weight in model.trainable_weights:
        if weight.name == "kernel":
            kernel = np.abs(weight.numpy())
            weight.assign(kernel * kernel.shape[-1] / kernel.sum())


def pass_through(image: NDArray[np.float32], method: str) -> NDArray[np.float32]:
    """Halve an image and double it again, untrained: (1, H, W, 1) to (H, W)."""
    keras.utils.set_random_seed(4)
    x = keras.Input(image.shape[1:])
    small, indices = halve(x, method, name="down")
    y = upsample(small, method, filters=1, name="up", indices=indices)
    model = keras.Model(x, y)
    make_positive(model)
    if method == "transposed":  # a quarter of the kernel makes each pixel
        model.get_layer("up").kernel.assign(4 * model.get_layer("up").kernel)
    return model(image).numpy()[0, :, :, 0]


def checkerboard(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Double by a 3x3 kernel of ones with stride 2, whose copies overlap."""
    small = keras.ops.max_pool(image, 2)
    kernel = np.full((3, 3, 1, 1), 4 / 9, dtype=np.float32)
    large = keras.ops.conv_transpose(small, kernel, 2, padding="same")
    return np.asarray(large)[0, :, :, 0]


def main() -> None:
    """Draw the image and what each method makes of it."""
    from matplotlib import pyplot as plt

    image = draw_disc_and_step()
    panels: dict[str, Any] = {"image": image[0, :, :, 0]}
    panels |= {method: pass_through(image, method) for method in UPSAMPLING_METHODS}
    panels["transposed, 3x3"] = checkerboard(image)
    figure, axes = plt.subplots(2, 4, figsize=(9.6, 4.0), layout="constrained")
    for axis, (title, panel) in zip(axes.flat, panels.items(), strict=True):
        axis.imshow(panel, cmap="gray", vmin=0, vmax=1.1, interpolation="nearest")
        axis.set_title(title.replace("_", " "), fontsize=10)
        axis.set_axis_off()
    figure.savefig(PICTURE, dpi=100)


if __name__ == "__main__":
    main()
