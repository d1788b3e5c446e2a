"""How much a run may tell TensorBoard, so that its log stays under 200 MB.

Scalars are written after every epoch, everything larger only so often that the log
could not outgrow the budget even if none of its pictures could be compressed. (They
can: a real log is three to ten times smaller.) Only a profile, which is asked for,
comes on top.
"""

import functools
import math

MAX_LOG_BYTES = 200_000_000
PICTURE_EPOCHS = 20  # at most so many epochs of a run get pictures
SHOWN_FIELDS = 3  # validation micrographs with a panel
PANEL_SIZE_PX = (700, 1050)  # rows, columns
PLOT_SIZE_PX = (400, 600)
NUM_PLOTS = 3  # confusion, calibration, sizes
CURVE_BINS = 100  # of probabilities, for precision and recall

_FIXED_BYTES = 10_000_000  # the graph, the settings
_SCALAR_BYTES = 150
_NUM_SCALARS = 8  # without those per class
_SCORES_PER_CLASS = 4
_HISTOGRAM_BYTES = 1200


def largest_log_bytes(
    epochs: int, picture_epochs: int, *, num_classes: int, num_histograms: int = 0
) -> int:
    """Give the size of a log none of whose pictures can be compressed.

    Args:
        epochs: Of the run.
        picture_epochs: Those among them with pictures, curves and histograms.
        num_classes: K.
        num_histograms: Weights with a histogram.
    """
    panels = SHOWN_FIELDS * 3 * math.prod(PANEL_SIZE_PX)
    plots = NUM_PLOTS * 3 * math.prod(PLOT_SIZE_PX)
    curves = (num_classes - 1) * 6 * 4 * (CURVE_BINS + 1)
    seldom = panels + plots + curves + num_histograms * _HISTOGRAM_BYTES
    scalars = _SCALAR_BYTES * (_NUM_SCALARS + _SCORES_PER_CLASS * num_classes)
    return _FIXED_BYTES + epochs * scalars + picture_epochs * seldom


def count_picture_epochs(
    epochs: int, *, num_classes: int, num_histograms: int = 0
) -> int:
    """Choose how many epochs of a run get pictures.

    Args:
        epochs: Of the run, at most.
        num_classes: K.
        num_histograms: Weights with a histogram.

    Returns:
        At least 1, at most `PICTURE_EPOCHS`.

    Example:
        >>> count_picture_epochs(80, num_classes=4)
        20
        >>> count_picture_epochs(80, num_classes=4, num_histograms=3000)
        15
    """
    size = functools.partial(
        largest_log_bytes,
        epochs,
        num_classes=num_classes,
        num_histograms=num_histograms,
    )
    counts = range(min(epochs, PICTURE_EPOCHS), 1, -1)
    return next((count for count in counts if size(count) <= MAX_LOG_BYTES), 1)


def gets_pictures(epoch: int, epochs: int, picture_epochs: int) -> bool:
    """Tell whether an epoch gets pictures: the last one does, and every n-th before.

    Args:
        epoch: From 1.
        epochs: Of the run, at most.
        picture_epochs: How many get some, at most.

    Example:
        >>> [epoch for epoch in range(1, 8) if gets_pictures(epoch, 7, 3)]
        [1, 4, 7]
    """
    return (epochs - epoch) % math.ceil(epochs / picture_epochs) == 0


def samples_per_plugin() -> str:
    """Give what TensorBoard needs so that it leaves nothing of a run out.

    By itself it keeps 10 pictures and 1000 points of a curve, drawn at random.
    """
    kept = {
        "images": PICTURE_EPOCHS,
        "pr_curves": PICTURE_EPOCHS,
        "histograms": PICTURE_EPOCHS,
        "scalars": 10_000,
    }
    return ",".join(f"{plugin}={count}" for plugin, count in kept.items())
