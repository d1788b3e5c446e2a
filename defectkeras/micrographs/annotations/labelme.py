"""Labelme's JSON, also X-AnyLabeling's: polygons, circles, rectangles, masks, lines.

Coordinates are x, y from the outer corner of the first pixel. Labelme keeps no
width of a line, so it must be given. The shapes of one `group_id` are one object.
Which classes are lines also where they are outlined stands in `line_classes`, a key
of ours that labelme keeps.
"""

import base64
import binascii
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from defectkeras.core.errors import MicrographError
from defectkeras.core.files import write_json
from defectkeras.core.names import require_known
from defectkeras.micrographs.annotations.rasterize import draw_geometry, join_areas
from defectkeras.micrographs.annotations.rings import trace_rings
from defectkeras.micrographs.annotations.shapes import (
    Area,
    Drawing,
    Line,
    Points,
    Shape,
)
from defectkeras.micrographs.checks import MAX_PIXELS, check_plane

_CIRCLE_CORNERS = 64
_VERSION = "5.5.0"  # of labelme, whose form this is
_TURNED = ("oriented_rectangle", "rotation")  # of labelme, of X-AnyLabeling
_AREAS = ("polygon", "rectangle", "circle", "mask", *_TURNED)
_LINES = ("line", "linestrip")
_LINES_KEY = "line_classes"


def read_labelme(
    content: Mapping[str, Any], *, line_width_px: float | None = None
) -> Drawing:
    """Give the shapes of a file of labelme.

    Args:
        content: The JSON of the file.
        line_width_px: Width of lines and linestrips, which the file does not tell.

    Raises:
        MicrographError: When something in it is not as labelme writes it.
    """
    size = (_whole(content, "imageHeight"), _whole(content, "imageWidth"))
    check_plane(size, np.dtype(np.uint8), MAX_PIXELS)
    groups: dict[Any, list[Shape]] = {}
    for number, entry in enumerate(content["shapes"], start=1):
        shape = _shape(entry, number, line_width_px)
        group = entry.get("group_id")
        key = number if group is None else (shape.class_name, str(group))
        groups.setdefault(key, []).append(shape)
    shapes = [s for group in groups.values() for s in _joined(group, size)]
    lines = frozenset(map(str, content.get(_LINES_KEY, ())))
    return Drawing(size, tuple(shapes), lines)


def write_labelme(drawing: Drawing, path: Path, *, image_name: str) -> None:
    """Write a drawing as a file of labelme, whole or not at all.

    An area of one ring becomes a polygon, one with holes or parts a mask, and a
    line a linestrip.

    Args:
        drawing: The shapes.
        path: Ends on .json.
        image_name: File name of the micrograph, relative to the file.
    """
    content: dict[str, Any] = {
        "version": _VERSION,
        "flags": {},
        "shapes": [_entry(shape, drawing.size) for shape in drawing.shapes],
        "imagePath": image_name,
        "imageData": None,
        "imageHeight": drawing.size[0],
        "imageWidth": drawing.size[1],
        _LINES_KEY: drawing.drawn_line_classes,
    }
    write_json(path, content)


def _shape(entry: Any, number: int, line_width_px: float | None) -> Shape:
    """Read one entry of "shapes"."""
    where = f"shape {number}"
    label = entry.get("label") if isinstance(entry, dict) else None
    name = label.strip() if isinstance(label, str) else ""
    if not name:
        raise MicrographError(f"{where}: must have a label. Received: none.")
    kind = entry.get("shape_type") or "polygon"
    if kind in ("point", "points"):
        raise MicrographError(
            f"{where}: must be an area or a line. Received: {kind}. Draw its outline, "
            "or take it out."
        )
    require_known(
        kind, (*_AREAS, *_LINES), what=f"shape_type of {where}", error=MicrographError
    )
    points = _points(entry.get("points"), where)
    if kind in _LINES:
        if line_width_px is None:
            raise MicrographError(
                f"{where}: a line must have a width, and labelme keeps none. Give it "
                "with --line-width-px or --line-width-nm."
            )
        return Shape(name, Line(points, line_width_px))
    return Shape(name, Area(_rings(kind, points, entry, where)))


def _rings(
    kind: str, points: Points, entry: Mapping[str, Any], where: str
) -> tuple[Points, ...]:
    """Give the rings of an area."""
    if kind == "mask":
        corner = np.rint(points[0])
        return tuple(r + corner for r in trace_rings(_decode(entry.get("mask"), where)))
    has_corners = kind == "rectangle" and len(points) == 4  # as X-AnyLabeling's
    wanted = 2 if kind in ("rectangle", "circle") and not has_corners else 3
    if len(points) < wanted or (wanted == 2 and len(points) > 2):
        raise MicrographError(
            f"{where}: a {kind} must have {wanted} points"
            f"{' or more' if wanted == 3 else ''}. Received: {len(points)}."
        )
    if wanted == 3:
        return (points,)
    first, second = points
    if kind == "rectangle":
        (top, left), (bottom, right) = first, second
        corners = [(top, left), (top, right), (bottom, right), (bottom, left)]
        return (np.array(corners),)
    angles = np.linspace(0, 2 * np.pi, _CIRCLE_CORNERS, endpoint=False)
    # A polygon of the area of the circle lies as much outside as inside of it.
    step = 2 * np.pi / _CIRCLE_CORNERS
    radius = np.hypot(*(second - first)) * np.sqrt(step / np.sin(step))
    return (first + radius * np.stack([np.sin(angles), np.cos(angles)], axis=1),)


def _decode(text: Any, where: str) -> Any:
    """Give the mask (H, W) of a shape, a PNG as base64."""
    try:
        content = base64.b64decode(text, validate=True)
        with PngImageFile(io.BytesIO(content)) as image:
            check_plane((image.height, image.width), np.dtype(np.uint8), MAX_PIXELS)
            return np.asarray(image.convert("L")) > 0
    except (TypeError, ValueError, OSError, SyntaxError, binascii.Error) as error:
        raise MicrographError(f"{where}: its mask must be a PNG as base64.") from error


def _points(points: Any, where: str) -> Points:
    """Give (N, 2) rows and columns of labelme's x and y."""
    try:
        xy = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError):
        xy = np.zeros(0)
    if xy.ndim != 2 or xy.shape[1] != 2 or not len(xy) or not np.isfinite(xy).all():
        raise MicrographError(f"{where}: its points must be pairs of finite numbers.")
    return np.ascontiguousarray(xy[:, ::-1])


def _joined(shapes: list[Shape], size: tuple[int, int]) -> list[Shape]:
    """Make the areas of a group one object; lines stay lines."""
    areas = [s.geometry for s in shapes if isinstance(s.geometry, Area)]
    if len(areas) < 2:
        return shapes
    lines = [s for s in shapes if isinstance(s.geometry, Line)]
    joined = join_areas((area.rings for area in areas), size)
    return [Shape(shapes[0].class_name, joined), *lines]


def _entry(shape: Shape, size: tuple[int, int]) -> dict[str, Any]:
    """Give one entry of "shapes"."""
    geometry = shape.geometry
    mask = None
    if isinstance(geometry, Line):
        kind, points = "linestrip", geometry.points
    elif len(geometry.rings) == 1:
        kind, points = "polygon", geometry.rings[0]
    else:
        kind, (mask, points) = "mask", _encode(shape, size)
    return {
        "label": shape.class_name,
        "points": points[:, ::-1].tolist(),
        "group_id": None,
        "description": "",
        "shape_type": kind,
        "flags": {},
        "mask": mask,
    }


def _encode(shape: Shape, size: tuple[int, int]) -> tuple[str, Points]:
    """Give a mask as base64 of a PNG, and its first and last pixel."""
    mask, (top, left) = draw_geometry(shape.geometry, size)
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8)).save(buffer, "PNG")
    last = (top + mask.shape[0] - 1, left + mask.shape[1] - 1)
    text = base64.b64encode(buffer.getvalue()).decode()
    return text, np.array([(top, left), last], dtype=np.float64)


def _whole(content: Mapping[str, Any], key: str) -> int:
    value = content.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise MicrographError(
            f"`{key}` must be a whole number from 1. It is {value}. Open the image in "
            "labelme and save the file again."
        )
    return value
