"""Any annotation as maps: one function for every format.

A file of shapes names its classes. A file of numbers does not say what they are,
so that must be said: classes, object numbers, a mask of one class, or colors.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path, PureWindowsPath
from typing import Any

from defectkeras.core.arrays import ClassMap, LabelMap
from defectkeras.core.errors import MicrographError
from defectkeras.core.file_names import name_of_file
from defectkeras.core.labels import LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.micrographs.annotations import coco
from defectkeras.micrographs.annotations.coco import read_coco
from defectkeras.micrographs.annotations.colors import read_color_map
from defectkeras.micrographs.annotations.imagej import read_imagej
from defectkeras.micrographs.annotations.labelme import read_labelme
from defectkeras.micrographs.annotations.maps import (
    Encoding,
    read_class_map,
    read_label_map,
)
from defectkeras.micrographs.annotations.rasterize import rasterize
from defectkeras.micrographs.annotations.shapes import Drawing
from defectkeras.micrographs.checks import require_file
from defectkeras.micrographs.read import errors_that_name

MAP_SUFFIXES = (".bmp", ".npy", ".png", ".tif", ".tiff")
SHAPE_SUFFIXES = (".json", ".roi", ".zip")

HOW_TO_EXPORT = (
    "Export it as COCO (Label Studio, VIA, CVAT) or ImageJ's regions (QuPath)"
)
_MAX_KEYS = 5  # of a JSON, named in a message


@dataclass(frozen=True)
class Hints:
    """What a file of annotations does not tell by itself.

    Attributes:
        encoding: What the numbers of a map are; of no meaning for shapes.
        object_class: Name of the class that "binary" and "objects" show, and of
            regions of ImageJ whatever they are called; None takes the only class
            and the names of the regions.
        colors: "#rrggbb" of each class in the order of the index, for "colors".
        color_tolerance: See `read_color_map`.
        line_width_px: Width of lines that have none.
        line_width_nm: Likewise in nm, where the pixel size is known.
        size: (H, W) of the image that was drawn on, for regions of ImageJ.
        image_name: Stem of the micrograph, for files of many images.
    """

    encoding: Encoding = "class_index"
    object_class: str | None = None
    colors: tuple[str, ...] = ()
    color_tolerance: int = 0
    line_width_px: float | None = None
    line_width_nm: float | None = None
    size: tuple[int, int] | None = None
    image_name: str | None = None

    def of(self, micrograph: Micrograph) -> "Hints":
        """Give the hints with what a micrograph tells: size, name, pixel size."""
        width_px, size_nm = self.line_width_px, micrograph.calibration.pixel_size_nm
        if width_px is None and self.line_width_nm is not None and size_nm is not None:
            width_px = self.line_width_nm / size_nm
        return replace(
            self,
            size=micrograph.file_shape,
            image_name=micrograph.name,
            line_width_px=width_px,
        )


@dataclass(frozen=True, eq=False)
class Annotation:
    """What a person, or a model, says about one micrograph.

    Attributes:
        class_map: (H, W) class indices.
        label_map: (H, W) object numbers, or None where the file has none: then
            connected pixels of a class are one object.
        drawn_lengths_px: Class to the length of its lines as they were drawn.
        overlapping: Number of objects of which later ones hide a part.
        hidden: Number of objects of which no pixel is left.
        outlined_lines: Classes of lines of which the numbers are of outlines, each
            maybe of several lines that cross.
    """

    class_map: ClassMap
    label_map: LabelMap | None = None
    drawn_lengths_px: Mapping[str, float] = field(default_factory=dict)
    overlapping: int = 0
    hidden: int = 0
    outlined_lines: tuple[str, ...] = ()

    def without_data_bar(self, micrograph: Micrograph) -> "Annotation":
        """Leave out the data bar, if this was drawn on the image with it."""
        if self.class_map.shape != micrograph.file_shape:
            return self
        height = micrograph.shape[0]
        objects = None if self.label_map is None else self.label_map[:height]
        return replace(self, class_map=self.class_map[:height], label_map=objects)


def holds_shapes(path: Path) -> bool:
    """Say whether a file is one of shapes, by its suffix."""
    return path.suffix.lower() in SHAPE_SUFFIXES


def image_names(path: Path) -> tuple[str, ...]:
    """Give the names without suffix of the images of a file of COCO.

    Args:
        path: Any annotation; one of another format gives none.

    Raises:
        MicrographError: When it is a damaged JSON.
    """
    if path.suffix.lower() != ".json":
        return ()
    with errors_that_name(path):
        content = parse_json(path)
        names = coco.image_names(content) if "images" in content else ()
        return tuple(name_of_file(PureWindowsPath(name)) for name in names)


def read_annotation(
    path: Path, scheme: LabelScheme, hints: Hints | None = None
) -> Annotation:
    """Read an annotation of any format.

    Args:
        path: PNG, BMP, TIFF or .npy (maps), JSON of labelme or COCO, .roi or .zip of
            ImageJ.
        scheme: The classes.
        hints: What the file does not tell.

    Returns:
        Class map and label map (H, W).

    Raises:
        MicrographError: When the file cannot be read or does not hold what was
            said, or a shape is of no class of the scheme.
    """
    hints = hints or Hints()
    if holds_shapes(path):
        drawing = read_drawing(path, hints)
        with errors_that_name(path):
            maps = rasterize(drawing, scheme)
        lengths = {n: drawing.drawn_length_px(n) for n in drawing.class_names}
        return Annotation(
            class_map=maps.class_map,
            label_map=maps.label_map,
            drawn_lengths_px={n: px for n, px in lengths.items() if px is not None},
            overlapping=maps.overlapping,
            hidden=maps.hidden,
            outlined_lines=tuple(
                n for n in drawing.drawn_line_classes if lengths[n] is None
            ),
        )
    if hints.encoding == "colors":
        class_map = read_color_map(
            path,
            hints.colors,
            num_classes=scheme.num_classes,
            tolerance=hints.color_tolerance,
        )
        return Annotation(class_map)
    is_one_class = hints.encoding in ("binary", "objects")
    class_map = read_class_map(
        path,
        num_classes=scheme.num_classes,
        encoding=hints.encoding,
        object_class=_object_class(scheme, hints) if is_one_class else 1,
    )
    label_map = read_label_map(path) if hints.encoding == "objects" else None
    return Annotation(class_map, label_map)


def read_drawing(path: Path, hints: Hints | None = None) -> Drawing:
    """Read the shapes of a file as they were drawn.

    Args:
        path: JSON of labelme or COCO, .roi or .zip of ImageJ.
        hints: What the file does not tell.

    Raises:
        MicrographError: When the file cannot be read.
    """
    hints = hints or Hints()
    with errors_that_name(path):
        require_file(path)
        if path.suffix.lower() != ".json":
            if hints.size is None:
                raise MicrographError(
                    "regions of ImageJ need the size of their micrograph. Give it, on "
                    "the command line by --micrographs (quantify: --micrograph)."
                )
            return read_imagej(
                path,
                size=hints.size,
                line_width_px=hints.line_width_px,
                class_name=hints.object_class,
            )
        content = parse_json(path)
        if isinstance(content.get("shapes"), list):
            return read_labelme(content, line_width_px=hints.line_width_px)
        if {"images", "annotations", "categories"} <= set(content):
            return read_coco(content, image_name=hints.image_name)
        raise MicrographError(
            "must be JSON of labelme (with shapes) or of COCO (with images, "
            f"annotations and categories). Received: {_keys_of(content)}. "
            f"{HOW_TO_EXPORT}."
        )


def parse_json(path: Path) -> dict[str, Any]:
    """Give the table of a JSON of labelme or COCO, in which NaN is no number.

    The last one is kept: a file of COCO holds many images, which are read in turn.

    Args:
        path: The file.

    Raises:
        MicrographError: When it is no JSON object; its name is not in the message.
    """
    found = path.stat()
    return _parse(path, (found.st_mtime_ns, found.st_size, found.st_ino))


@lru_cache(maxsize=1)
def _parse(path: Path, _version: tuple[int, ...]) -> dict[str, Any]:
    """Parse this version of a file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise MicrographError(
            f"must be JSON. Received: {error}. Save it again."
        ) from error
    if not isinstance(content, dict):
        raise MicrographError(
            "must be JSON of labelme or of COCO. Received: another one, such as that "
            f"of Label Studio or QuPath. {HOW_TO_EXPORT}."
        )
    return content


def _keys_of(content: Mapping[str, Any]) -> str:
    names = list(content)
    more = f" and {len(names) - _MAX_KEYS} more" if len(names) > _MAX_KEYS else ""
    return (", ".join(names[:_MAX_KEYS]) or "nothing") + more


def _refuse(name: str) -> None:
    raise ValueError(f"{name}, which is no number")


def _object_class(scheme: LabelScheme, hints: Hints) -> int:
    """Give the index of the class that a map of one class shows."""
    if hints.object_class is not None:
        return scheme.by_name(hints.object_class).index
    if len(scheme.defects) > 1:
        names = ", ".join(c.name for c in scheme.defects)
        raise MicrographError(
            f"A map of one class needs its name when there are several: {names}."
        )
    return 1
