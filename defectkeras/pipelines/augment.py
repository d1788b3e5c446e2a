"""Change a patch at random as another microscope session would have.

Everything is stateless: the same seed gives the same patch, in any order and on
any number of threads. Class maps are turned, mirrored and moved, never interpolated.
"""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from defectkeras.core.errors import TrainingError
from defectkeras.core.names import require_known
from defectkeras.core.symmetries import VIEWS, Symmetries
from defectkeras.pipelines.instrument import (
    add_gradient,
    add_shot_noise,
    jitter_lines,
    warp,
)

BLUR_RADIUS_PX = 3


@dataclass(frozen=True)
class Augmentation:
    """How far a patch may be changed; 0 or false leaves a step out.

    Attributes:
        symmetries: "square" turns and mirrors, as suits a plan view; "left-right"
            mirrors the columns alone, where up and down differ: light from above, a
            cross-section; "none" does neither.
        gain: Contrast about the patch's mean is multiplied by 1 +- gain.
        offset: Up to this is added or taken, of the grey range 1.
        gamma: Grey levels are raised to exp(+- gamma).
        inversion_probability: Of exchanging bright and dark (bright field and
            dark field).
        noise: Largest standard deviation of Gaussian noise, of the grey range 1.
        blur_probability: Of a Gaussian blur.
        blur_px: Its largest standard deviation.
        poisson: Largest variance of shot noise where the grey level is 1; it is in
            proportion to the grey level.
        scan_jitter_px: Largest standard deviation by which the lines of a scan are
            moved along themselves, together with the class map, by whole pixels.
        charging: Largest change of the grey level from one side to the other, by
            charging or a bent foil.
        elastic_px: Largest standard deviation by which the patch is warped, class
            map and all; the class map by the nearest pixel.
        elastic_scale_px: Over how many pixels the warping changes.
        scale_range: Smallest and largest factor by which objects grow.

    Raises:
        TrainingError: When a value is out of its range.
    """

    symmetries: Symmetries = "square"
    gain: float = 0.2
    offset: float = 0.1
    gamma: float = 0.3
    inversion_probability: float = 0.0
    noise: float = 0.04
    blur_probability: float = 0.2
    blur_px: float = 1.0
    poisson: float = 0.0
    scan_jitter_px: float = 0.0
    charging: float = 0.0
    elastic_px: float = 0.0
    elastic_scale_px: float = 32.0
    scale_range: tuple[float, float] = (1.0, 1.0)

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_known(
            self.symmetries,
            VIEWS,
            what="value of `symmetries`",
            error=TrainingError,
        )
        for name in ("gain", "offset", "inversion_probability", "blur_probability"):
            _require(name, getattr(self, name), 0.0, 1.0)
        _require("gamma", self.gamma, 0.0, 2.0)
        _require("noise", self.noise, 0.0, 1.0)
        _require("blur_px", self.blur_px, 0.0, float(BLUR_RADIUS_PX))
        _require("poisson", self.poisson, 0.0, 1.0)
        _require("scan_jitter_px", self.scan_jitter_px, 0.0, 4.0)
        _require("charging", self.charging, 0.0, 1.0)
        _require("elastic_scale_px", self.elastic_scale_px, 8.0, 1024.0)
        _require("elastic_px", self.elastic_px, 0.0, self.elastic_scale_px / 8)
        smallest, largest = self.scale_range
        if not 0.25 <= smallest <= largest <= 4.0:
            raise TrainingError(
                "`scale_range` must be (smallest, largest), both from 0.25 to 4. "
                f"Received: {self.scale_range}."
            )


def _require(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise TrainingError(
            f"`{name}` must be from {low:g} to {high:g}. Received: {value}."
        )


NO_AUGMENTATION = Augmentation(
    symmetries="none", gain=0, offset=0, gamma=0, noise=0, blur_probability=0
)


def augment(
    image: Any, class_map: Any, seed: Any, augmentation: Augmentation
) -> tuple[Any, Any]:
    """Change a patch at random.

    Args:
        image: (P, P, 1) float32 in [0, 1].
        class_map: (P, P) int32.
        seed: (2,) integers.
        augmentation: How far.

    Returns:
        The same shapes; the image is clipped to [0, 1], as micrographs are when
        they are normalised.
    """
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
    if augmentation.elastic_px > 0:
        image, class_map = warp(
            image,
            class_map,
            _another(seed, 3),
            largest_px=augmentation.elastic_px,
            scale_px=augmentation.elastic_scale_px,
        )
    num_symmetries = len(VIEWS[augmentation.symmetries])
    if num_symmetries > 1:  # of two, the mirrored columns
        number = tf.random.stateless_uniform((), seeds[0], 0, num_symmetries, tf.int32)
        image = apply_symmetry(image, number)
        class_map = apply_symmetry(class_map, number)
    if augmentation.scan_jitter_px > 0:
        image, class_map = jitter_lines(
            image, class_map, _another(seed, 4), augmentation.scan_jitter_px
        )
    image = change_grey_levels(image, seeds[1], augmentation)
    if augmentation.charging > 0:
        image = add_gradient(image, _another(seed, 5), augmentation.charging)
    if augmentation.blur_probability > 0:
        image = _blur_at_random(image, seeds[1], augmentation)
    if augmentation.poisson > 0:
        image = add_shot_noise(image, _another(seed, 6), augmentation.poisson)
    if augmentation.noise > 0:
        image = _add_noise(image, seeds[2], augmentation.noise)
    return tf.clip_by_value(image, 0.0, 1.0), class_map


def apply_symmetry(array: Any, number: Any) -> Any:
    """Apply one of the eight symmetries of the square.

    Args:
        array: (P, P) or (P, P, 1).
        number: From 0 (unchanged) to 7; bit 0 mirrors the columns, bit 1 the
            rows, bit 2 exchanges rows and columns.
    """
    mirrors_columns, mirrors_rows, exchanges = (
        tf.bitwise.bitwise_and(number, bit) > 0 for bit in (1, 2, 4)
    )
    array = tf.where(mirrors_columns, tf.reverse(array, [1]), array)
    array = tf.where(mirrors_rows, tf.reverse(array, [0]), array)
    axes = [1, 0, *range(2, array.shape.rank)]
    return tf.where(exchanges, tf.transpose(array, axes), array)


def change_grey_levels(image: Any, seed: Any, augmentation: Augmentation) -> Any:
    """Change gamma, gain and offset, and at times invert.

    Args:
        image: (P, P, 1) float32 in [0, 1].
        seed: (2,) integers.
        augmentation: How far.

    Returns:
        (P, P, 1) float32, not yet clipped.
    """
    u = tf.random.stateless_uniform((4,), seed, -1.0, 1.0)
    if augmentation.gamma > 0:
        image = tf.pow(image, tf.exp(augmentation.gamma * u[0]))
    mean = tf.reduce_mean(image)
    gain = 1.0 + augmentation.gain * u[1]
    image = mean + gain * (image - mean) + augmentation.offset * u[2]
    if augmentation.inversion_probability > 0:
        is_inverted = u[3] < 2.0 * augmentation.inversion_probability - 1.0
        image = tf.where(is_inverted, 1.0 - image, image)
    return image


def _another(seed: Any, number: int) -> Any:
    """Give a further seed; those of older steps stay as they are."""
    return tf.random.experimental.stateless_fold_in(seed, number)


def _blur_at_random(image: Any, seed: Any, augmentation: Augmentation) -> Any:
    seed = tf.random.experimental.stateless_fold_in(seed, 1)
    u = tf.random.stateless_uniform((2,), seed)
    return tf.cond(
        u[0] < augmentation.blur_probability,
        lambda: blur(image, augmentation.blur_px * u[1]),
        lambda: image,
    )


def blur(image: Any, sigma_px: Any) -> Any:
    """Blur by a Gaussian; the border is mirrored.

    Args:
        image: (P, P, 1) float32.
        sigma_px: Standard deviation, up to `BLUR_RADIUS_PX`.

    Returns:
        (P, P, 1) float32 of the same mean grey level.
    """
    distances = tf.range(-BLUR_RADIUS_PX, BLUR_RADIUS_PX + 1, dtype=tf.float32)
    weights = tf.exp(-0.5 * tf.square(distances / tf.maximum(sigma_px, 1e-3)))
    weights /= tf.reduce_sum(weights)
    margin = [BLUR_RADIUS_PX, BLUR_RADIUS_PX]
    padded = tf.pad(image, [margin, margin, [0, 0]], "SYMMETRIC")[None]
    rows = tf.nn.conv2d(padded, weights[:, None, None, None], 1, "VALID")
    return tf.nn.conv2d(rows, weights[None, :, None, None], 1, "VALID")[0]


def _add_noise(image: Any, seed: Any, largest: float) -> Any:
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    deviation = tf.random.stateless_uniform((), seeds[0], 0.0, largest)
    return image + deviation * tf.random.stateless_normal(tf.shape(image), seeds[1])
