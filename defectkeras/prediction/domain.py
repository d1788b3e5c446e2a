"""Does a micrograph lie within what the network has learned from?"""

from defectkeras.core.calibration import Calibration


def check_pixel_size(
    calibration: Calibration, pixel_size_range_nm: tuple[float, float] | None
) -> str | None:
    """Say whether a pixel size is outside the range of the training data.

    A network has learned objects of a certain size in pixels; at another pixel
    size it is used beyond what its tests say anything about.

    Args:
        calibration: Of the micrograph.
        pixel_size_range_nm: Smallest and largest pixel size of the training
            data, or None when it is not known.

    Returns:
        A warning, or None when there is nothing to warn of.

    Example:
        >>> print(check_pixel_size(Calibration(pixel_size_nm=5.0), (0.8, 1.25)))
        The pixel size of 5 nm is outside the 0.8 to 1.25 nm that the model has \
learned from, so its result is not to be trusted. Resample with --rescale.
    """
    if pixel_size_range_nm is None:
        return None
    low, high = pixel_size_range_nm
    size_nm = calibration.pixel_size_nm
    known = f"{low:g} nm" if low == high else f"{low:g} to {high:g} nm"
    if size_nm is None:
        return (
            "The pixel size is not known, so it cannot be compared with the "
            f"{known} that the model has learned from. Give it with --pixel-size-nm."
        )
    slack = 1e-6  # a size that went through a file comes back slightly changed
    if low * (1 - slack) <= size_nm <= high * (1 + slack):
        return None
    return (
        f"The pixel size of {size_nm:.4g} nm is outside the {known} that the model "
        "has learned from, so its result is not to be trusted. Resample with "
        "--rescale."
    )
