"""The rules that turn what a set measures into settings; each one a pure function.

Each gives a value, or None where the default of `TrainingConfig` stays.
"""

import math

from defectkeras.datasets.survey import ClassSurvey, Spread, Survey

SCALE_TOLERANCE = 1.25
SMALLEST_SEEN_PX = 3.0
DEFECTSEGNET_REACH_PX = 51
PATCH_STEP_PX = 32
SMALLEST_PATCH_PX, LARGEST_PATCH_PX = 64, 512
SMALLEST_BATCH, LARGEST_BATCH = 2, 16
FEWEST_PATCHES, MOST_PATCHES = 10_000, 100_000
PASSES = 100
CLEAR_CONTRAST = 0.1
CLEAR_ROUGHNESS = 1.15
CLEAR_SLOPE, LARGEST_SLOPE = 0.1, 0.3


def choose_target_pixel_size_nm(survey: Survey) -> float | None:
    """Resample only what the scale augmentation cannot bridge.

    Where the largest pixel size is at most 1.25 times the smallest, or one is not
    known, micrographs stay as they are. Else all get the median, as nnU-Net does
    (F. Isensee et al., 2021, https://doi.org/10.1038/s41592-020-01008-z), but none
    so coarse that small objects (5th percentile) fall below 3 px.
    """
    sizes_nm = survey.pixel_sizes_nm
    if sizes_nm is None or survey.unknown_pixel_sizes:
        return None
    if sizes_nm.largest <= SCALE_TOLERANCE * sizes_nm.smallest:
        return None
    smallest_nm = [
        c.sizes_nm.smallest / SMALLEST_SEEN_PX for c in survey.classes if c.sizes_nm
    ]
    return float(f"{min([sizes_nm.median, *smallest_nm]):.4g}")


def sizes_at(entry: ClassSurvey, target_pixel_size_nm: float | None) -> Spread | None:
    """Give the sizes of a class in the pixels that the network sees."""
    if target_pixel_size_nm is None or entry.sizes_nm is None:
        return entry.sizes_px
    nm, scale = entry.sizes_nm, target_pixel_size_nm
    return Spread(nm.count, nm.smallest / scale, nm.median / scale, nm.largest / scale)


def choose_architecture(sizes_px: list[Spread]) -> tuple[str, dict[str, object]]:
    """Take the smallest network that sees whole objects and keeps small ones.

    Up to twice the reach of DefectSegNet (51 px) it sees an object's whole outline
    from within, and its full-resolution paths keep thin lines. Larger objects need an
    encoder: with skips at all resolutions (`encoder_unet`) where some are thinner than
    16 px, else DeepLabV3+, whose output stride is at most half of the small objects.
    """
    largest = max((s.largest for s in sizes_px), default=0.0)
    smallest = min((s.smallest for s in sizes_px), default=0.0)
    if largest <= 2 * DEFECTSEGNET_REACH_PX:
        return "defectsegnet", {}
    if smallest < 16:
        return "encoder_unet", {"encoder": "efficientnet_lite0"}
    stride = 16 if smallest >= 32 else 8
    return "deeplab_v3_plus", {"encoder": "mobilenet_v2", "output_stride": stride}


def choose_patch_size(
    *, reach_px: int | None, largest_px: float, stride: int, shorter_side_px: float
) -> int:
    """Take patches of which a quarter sees no border, and that hold an object.

    A pixel is far from the border of a patch of side P in ((P - 2 reach) / P)^2 of
    it, a quarter at P = 4 reach. A patch is also twice as large as a large object
    (95th percentile), but not larger than a typical micrograph, beyond which there
    is only its mirror image, and from 64 to 512 px. It is a multiple of 32 and of the
    network's stride.

    Args:
        reach_px: Half the receptive field; None where it is the whole image.
        largest_px: Size of a large object.
        stride: Of the network.
        shorter_side_px: Of a typical micrograph.

    Example:
        >>> choose_patch_size(
        ...     reach_px=51, largest_px=40, stride=8, shorter_side_px=700
        ... )
        224
    """
    reach_px = LARGEST_PATCH_PX // 4 if reach_px is None else reach_px
    step = math.lcm(PATCH_STEP_PX, stride)
    wanted = math.ceil(max(4 * reach_px, 2 * largest_px) / step) * step
    room = math.floor(min(shorter_side_px, LARGEST_PATCH_PX) / step) * step
    return max(min(wanted, room), math.ceil(SMALLEST_PATCH_PX / step) * step)


def choose_batch(bytes_per_patch: int, memory_bytes: int) -> tuple[int, int]:
    """Take as many patches as half of the memory holds, from 2 to 16.

    A power of 2. Batch normalization needs at least 2, and more than 16 make an epoch
    no better. Where not even 8 fit, batches of 8 are computed in parts, so that the
    learning rate stays right.

    Args:
        bytes_per_patch: Of one patch in a training step.
        memory_bytes: Of the device, free.

    Returns:
        Batch size and accumulation steps.

    Example:
        >>> choose_batch(bytes_per_patch=2**28, memory_bytes=2**30)
        (8, 4)
    """
    fits = max(memory_bytes // 2 // bytes_per_patch, 1)
    at_once = 2 ** int(math.log2(fits))
    at_once = min(max(at_once, SMALLEST_BATCH), LARGEST_BATCH)
    batch_size = max(at_once, 8)
    return batch_size, batch_size // at_once


def choose_rare_class_fraction(survey: Survey) -> float:
    """Draw more patches where defects are, the rarer they are.

    A third where the rarest class covers 10 % or more and any patch shows it, two
    thirds where it covers less than 0.5 %, else half. Patches balance the classes, so
    that no class weights are needed on top, which make defects too large.
    """
    rarest = min((c.fraction for c in survey.classes[1:] if c.pixels), default=0.0)
    if rarest >= 0.1:
        return 0.33
    return 0.5 if rarest >= 0.005 else 0.67


def choose_loss(survey: Survey, line_width_px: float | None) -> str:
    """Take cross-entropy and Dice, and clDice for lines.

    Cross-entropy alone is minimized by leaving rare classes out; Dice counts overlap,
    whatever the share (F. Milletari et al., 2016,
    https://doi.org/10.1109/3DV.2016.79). clDice counts the middle lines, so that
    gaps are dear; its skeleton needs as many iterations as half the width
    of a line (S. Shit et al., 2021, https://doi.org/10.1109/CVPR46437.2021.01629).
    Where all defects cover 20 % or more, cross-entropy alone does.

    Args:
        survey: Tells the shares of the classes.
        line_width_px: Width of a wide line, or None without line classes.
    """
    rarest = min((c.fraction for c in survey.classes[1:] if c.pixels), default=0.0)
    loss = "ce" if rarest >= 0.2 else "0.5*ce + 0.5*dice"
    if line_width_px is None:
        return loss
    iterations = min(max(math.ceil(line_width_px / 2), 2), 10)
    return f"{loss} + 0.3*cldice(iterations={iterations})"


def choose_scale_range(survey: Survey) -> tuple[float, float]:
    """Let objects grow and shrink by the tolerance of the pixel size.

    By a quarter, which is what micrographs are not resampled for. Where a pixel size
    is not known, by 0.7 to 1.4, since magnifications may differ.
    """
    if survey.pixel_sizes_nm is None or survey.unknown_pixel_sizes:
        return 0.7, 1.4
    return 1 / SCALE_TOLERANCE, SCALE_TOLERANCE


def choose_gamma(grey_middles: Spread) -> float:
    """Vary the gamma as the micrographs do.

    A gamma g takes the median grey level m to m^g, so that log(-log m) moves by
    log g; half of what it moves between dark and bright micrographs, from 0.1 to 0.5.
    """
    low, high = (
        min(max(m, 0.02), 0.98) for m in (grey_middles.smallest, grey_middles.largest)
    )
    half = (math.log(-math.log(low)) - math.log(-math.log(high))) / 2
    return round(min(max(half, 0.1), 0.5), 2)


def choose_blur_px(smallest_px: float | None) -> float:
    """Blur less than the smallest objects: up to a quarter of them, at most 1 px."""
    return 1.0 if smallest_px is None else round(min(1.0, smallest_px / 4), 2)


def choose_inversion(survey: Survey) -> float:
    """Exchange bright and dark in half of the patches where the set shows both.

    That is where a class is clearly brighter than the matrix in some micrographs (95th
    percentile) and clearly darker in others (5th), as in a mixture of bright field and
    dark field. Else bright and dark tell the classes apart, and stay.
    """
    contrasts = [c.contrasts for c in survey.classes[1:] if c.contrasts]
    is_mixed = any(
        c.smallest <= -CLEAR_CONTRAST and c.largest >= CLEAR_CONTRAST for c in contrasts
    )
    return 0.5 if is_mixed else 0.0


def choose_scan_jitter_px(scan_roughness: Spread) -> float:
    """Move scan lines, by half a pixel, where a typical micrograph shows them.

    That is where grey levels change between rows 1.15 times as much as along them: in
    SEM and STEM whose lines do not fit together, and never in pictures of a camera.
    """
    return 0.5 if scan_roughness.median >= CLEAR_ROUGHNESS else 0.0


def choose_charging(brightness_slopes: Spread) -> float:
    """Slope the brightness as it slopes in the steepest micrographs, up to 0.3.

    The 95th percentile counts; below 0.1 of the grey range there is nothing to learn.
    """
    if brightness_slopes.largest < CLEAR_SLOPE:
        return 0.0
    return round(min(brightness_slopes.largest, LARGEST_SLOPE), 2)


def choose_epochs(pixels: int, patch_size: int, batch_size: int) -> tuple[int, int]:
    """See every pixel a hundred times, in 10,000 to 100,000 patches.

    An epoch is what covers the set once, from 25 to 250 batches, so that validation
    takes its share and no more.

    Args:
        pixels: Of all training micrographs, as the network sees them.
        patch_size: Side in px.
        batch_size: Patches per batch.

    Returns:
        Epochs and steps per epoch.

    Example:
        >>> choose_epochs(pixels=20 * 1000 * 1000, patch_size=256, batch_size=8)
        (98, 39)
    """
    per_pass = pixels / patch_size**2
    patches = min(max(PASSES * per_pass, FEWEST_PATCHES), MOST_PATCHES)
    steps = min(max(math.ceil(per_pass / batch_size), 25), 250)
    return math.ceil(patches / batch_size / steps), steps
