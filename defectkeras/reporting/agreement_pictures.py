"""Where two annotators agree: what both have marked, and what one of them alone.

The page lays the layers of one pair over the micrograph; a reader chooses the pair and
switches each layer on and off.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap, Image
from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import LabelScheme
from defectkeras.core.palette import ORANGE, REDDISH_PURPLE, SKY_BLUE, Color
from defectkeras.reporting.layers import drawing_order, shrink_class_map
from defectkeras.reporting.pictures import jpeg_url, layer_url
from defectkeras.reporting.scale_bar import ScaleBar, choose_scale_bar

MAX_SIDE_PX = 1200
OPACITY = 150
"""Of 255: a reader must see the defect below."""

BOTH, FIRST, SECOND = 1, 2, 3
COLORS: dict[int, Color] = {BOTH: REDDISH_PURPLE, FIRST: SKY_BLUE, SECOND: ORANGE}


@dataclass(frozen=True)
class AgreementLayer:
    """The pixels of one class that both of a pair, or one alone, have marked.

    Attributes:
        pair: Number of the pair.
        class_name: The class.
        who: "both", or "only" and the label of one.
        color: Its color.
        url: The picture as a data URL.
    """

    pair: int
    class_name: str
    who: str
    color: Color
    url: str


@dataclass(frozen=True)
class AgreementPicture:
    """One field with what each pair has marked.

    Attributes:
        name: Of the field.
        width_px: Width of the pictures, at most `MAX_SIDE_PX`.
        height_px: Height.
        plain_url: The micrograph as a data URL; grey where there is none.
        pairs: Labels of the first and the second of each pair.
        layers: Of all pairs; those that are empty are left out.
        scale_bar: In pixels of the pictures.
    """

    name: str
    width_px: int
    height_px: int
    plain_url: str
    pairs: tuple[tuple[str, str], ...]
    layers: tuple[AgreementLayer, ...]
    scale_bar: ScaleBar


def draw_agreement(
    name: str,
    image: Image | None,
    class_maps: Mapping[str, ClassMap],
    scheme: LabelScheme,
    *,
    calibration: Calibration,
) -> AgreementPicture:
    """Draw what each pair of annotators has marked in one field.

    Args:
        name: Of the field.
        image: (H, W) in [0, 1], or None.
        class_maps: Label of each annotator to its (H, W) class map.
        scheme: The classes.
        calibration: Sets the scale bar.

    Returns:
        Compressed pictures. Pixels that one of a pair has not annotated are clear.
    """
    shape = next(iter(class_maps.values())).shape
    shrink = min(1.0, MAX_SIDE_PX / max(shape))
    height, width = (max(1, round(shrink * side)) for side in shape)
    plain = np.full((height, width), 0.5, dtype=np.float32)
    if image is not None:
        plain = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    pairs = tuple(itertools.combinations(class_maps, 2))
    layers = []
    for number, (first, second) in enumerate(pairs):
        whose = {BOTH: "both", FIRST: f"only {first}", SECOND: f"only {second}"}
        for defect_class in drawing_order(scheme):
            maps = class_maps[first], class_maps[second]
            parts = _parts(*maps, defect_class.index)
            shown = shrink_class_map(parts, (height, width))
            layers += [
                AgreementLayer(
                    number,
                    defect_class.name,
                    who,
                    COLORS[part],
                    layer_url(np.uint8(OPACITY) * (shown == part), COLORS[part]),
                )
                for part, who in whose.items()
                if (shown == part).any()
            ]
    bar = choose_scale_bar(shape[1], calibration)
    return AgreementPicture(
        name,
        width,
        height,
        jpeg_url(plain),
        pairs,
        tuple(layers),
        ScaleBar(bar.length_px * width / shape[1], bar.label),
    )


def _parts(first: ClassMap, second: ClassMap, index: int) -> ClassMap:
    """Give (H, W) with `BOTH`, `FIRST`, `SECOND`, or 0 where neither has the class."""
    one, other = first == index, second == index
    parts = np.select([one & other, one, other], [BOTH, FIRST, SECOND], 0)
    parts[(first == NOT_ANNOTATED) | (second == NOT_ANNOTATED)] = 0
    return parts.astype(np.int32)
