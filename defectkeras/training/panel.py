"""The panel of a field in a training log: what it shows, and what was found.

Six places: micrograph, annotation and prediction above; error map, uncertainty and
the legend below.
"""

from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.patches import Patch
from numpy.typing import NDArray

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap, Image
from defectkeras.core.labels import LabelScheme
from defectkeras.core.palette import (
    BLUE,
    NOT_ANNOTATED_COLOR,
    REDDISH_PURPLE,
    YELLOW,
    class_colors,
    hex_color,
)
from defectkeras.training.details import ShownField
from defectkeras.training.figure import new_figure, to_pixels
from defectkeras.training.log_budget import PANEL_SIZE_PX

PICTURE_PX = 350  # longer side of one picture
CLASS_OPACITY, ERROR_OPACITY = 0.5, 0.9

ERRORS = ("missed", "false alarm", "other class")
# Those of the usual classes are others.
ERROR_COLORS = np.array([YELLOW, BLUE, REDDISH_PURPLE], np.uint8)


def draw_panel(field: ShownField, scheme: LabelScheme) -> NDArray[np.uint8]:
    """Draw a field of a validation.

    Args:
        field: Its arrays (H, W).
        scheme: The classes, for the legend.

    Returns:
        (H, W, 3) uint8, of `PANEL_SIZE_PX`.
    """
    figure = new_figure(PANEL_SIZE_PX)
    axes = figure.subplots(2, 3)
    errors = error_map(field.annotation, field.prediction)
    pictures: dict[str, NDArray[Any]] = {
        "micrograph": _grey(field.image),
        "annotation": color_classes(field.image, field.annotation, scheme),
        "prediction": color_classes(field.image, field.prediction, scheme),
        "errors": color_errors(field.image, errors),
        "uncertainty": field.uncertainty,
    }
    for place, (title, picture) in zip(axes.flat, pictures.items(), strict=False):
        place.imshow(shrink(picture), cmap="magma", vmin=0, vmax=1)
        place.set_title(title, fontsize=11)
        place.set_axis_off()
    _draw_legend(axes.flat[-1], scheme)
    return to_pixels(figure)


def shrink(picture: NDArray[Any]) -> NDArray[Any]:
    """Bring a picture (H, W) or (H, W, 3) down to `PICTURE_PX`, by means of areas.

    Every n-th pixel would lose thin lines.
    """
    scale = PICTURE_PX / max(picture.shape[:2])
    if scale >= 1:
        return picture
    height, width = (max(1, round(scale * side)) for side in picture.shape[:2])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def error_map(annotation: ClassMap, prediction: ClassMap) -> ClassMap:
    """Tell what is wrong where.

    Args:
        annotation: (H, W) class map.
        prediction: (H, W) class map.

    Returns:
        (H, W): 0 where it is right, 1 for a missed defect, 2 for a false alarm, 3
        for a defect of another class, `NOT_ANNOTATED` where nobody can tell.

    Example:
        >>> truth, found = np.array([[0, 1, 0, 1, -1]]), np.array([[0, 0, 1, 2, 1]])
        >>> error_map(truth, found).tolist()
        [[0, 1, 2, 3, -1]]
    """
    kinds = np.where(prediction == 0, 1, np.where(annotation == 0, 2, 3))
    kinds = np.where(annotation == prediction, 0, kinds)
    kinds = np.where(annotation == NOT_ANNOTATED, NOT_ANNOTATED, kinds)
    return kinds.astype(np.int32)


def color_classes(
    image: Image, class_map: ClassMap, scheme: LabelScheme
) -> NDArray[np.uint8]:
    """Lay the classes' colors over a micrograph; the matrix stays as it is.

    Args:
        image: (H, W) in [0, 1].
        class_map: (H, W).
        scheme: The classes.

    Returns:
        (H, W, 3) uint8.
    """
    colors = np.zeros((scheme.num_classes, 3), dtype=np.uint8)
    for index, color in class_colors(scheme).items():
        colors[index] = color
    shown = colors[np.maximum(class_map, 0)]
    return _cover(image, class_map, shown, CLASS_OPACITY)


def color_errors(image: Image, errors: ClassMap) -> NDArray[np.uint8]:
    """Lay the colors of an error map (H, W) over a micrograph; give (H, W, 3)."""
    colors = ERROR_COLORS[np.maximum(errors, 1) - 1]
    return _cover(image, errors, colors, ERROR_OPACITY)


def _cover(
    image: Image, class_map: ClassMap, colors: NDArray[np.uint8], opacity: float
) -> NDArray[np.uint8]:
    grey = _grey(image)
    veiled = (class_map == NOT_ANNOTATED)[..., np.newaxis]
    colors = np.where(veiled, np.array(NOT_ANNOTATED_COLOR, np.uint8), colors)
    mixed = cv2.addWeighted(grey, 1 - opacity, colors, opacity, 0)
    return np.where((class_map != 0)[..., np.newaxis], mixed, grey)


def _grey(image: Image) -> NDArray[np.uint8]:
    grey = np.rint(255 * image.clip(0, 1)).astype(np.uint8)
    return np.repeat(grey[..., np.newaxis], 3, axis=-1)


def _draw_legend(axes: Axes, scheme: LabelScheme) -> None:
    """Say what the colors mean."""
    colors_of = class_colors(scheme)
    classes = {c.name: colors_of[c.index] for c in scheme.defects}
    classes["not annotated"] = NOT_ANNOTATED_COLOR
    errors = dict(zip(ERRORS, map(tuple, ERROR_COLORS.tolist()), strict=True))
    for title, colors, side in (("Classes", classes, 0.0), ("Errors", errors, 0.55)):
        legend = Legend(
            axes,
            [Patch(color=hex_color(color)) for color in colors.values()],
            list(colors),
            title=title,
            loc="upper left",
            bbox_to_anchor=(side, 1.0),
            frameon=False,
            alignment="left",
        )
        legend.set_in_layout(False)
        axes.add_artist(legend)
    axes.text(0.02, 0.1, "Uncertainty: black is 0, white is 1")
    axes.set_axis_off()
