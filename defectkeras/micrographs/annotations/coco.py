"""COCO's JSON: polygons and run lengths of many images in one file.

Coordinates are x, y from the outer corner of the first pixel, run lengths go down
the columns. The numbers of images and categories are any numbers. Regions with
`iscrowd` hold several objects that nobody told apart: they become `not_annotated`.
CVAT says `iscrowd` of all that it keeps as run lengths, and supervision of objects with
holes or parts, so there it means nothing.
COCO outlines lines as well; that they are lines is told by the `supercategory`.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

from defectkeras.core.errors import MicrographError
from defectkeras.core.file_names import composed
from defectkeras.core.files import write_json
from defectkeras.micrographs.annotations.rasterize import draw_geometry, join_areas
from defectkeras.micrographs.annotations.rings import trace_rings
from defectkeras.micrographs.annotations.run_length import (
    counts_of_mask,
    counts_of_text,
    mask_of_counts,
    text_of_counts,
)
from defectkeras.micrographs.annotations.shapes import (
    NOT_ANNOTATED_NAME,
    Area,
    Drawing,
    Points,
    Shape,
)
from defectkeras.micrographs.checks import MAX_PIXELS, check_plane

_KIND, _LINE = "supercategory", "line"
_OF_SUPERVISION = "common-objects"  # the supercategory of all its categories
_NUMBERED = re.compile(r"(?<![^/\\])[0-9a-f]{8}-(?=[^/\\]+$)")


def read_coco(content: Mapping[str, Any], *, image_name: str | None = None) -> Drawing:
    """Give the shapes of one image of a file of COCO.

    Args:
        content: The JSON of the file.
        image_name: File name or stem of the micrograph; None takes the only image.

    Raises:
        MicrographError: When the image is not in the file, or something in it is
            not as COCO wants it.
    """
    _require_images(content)
    image = _find_image(content, image_name)
    size = (_number(image, "height"), _number(image, "width"))
    check_plane(size, np.dtype(np.uint8), MAX_PIXELS)
    categories = _entries(content, "categories")
    names = {_number(c, "id"): _text(c, "name") for c in categories}
    kinds = {c["id"]: c.get(_KIND) for c in categories}
    lines = frozenset(names[i] for i, kind in kinds.items() if kind == _LINE)
    shapes = []
    for number, entry in enumerate(_entries(content, "annotations"), start=1):
        if entry.get("image_id") != image["id"]:
            continue
        where = f"annotation {entry.get('id', number)}"
        if entry.get("category_id") not in names:
            raise MicrographError(
                f"{where}: its category_id must be one of {sorted(names)}. "
                f"Received: {entry.get('category_id')}."
            )
        area = Area(_rings(entry.get("segmentation"), size, where))
        is_crowd = _is_crowd(entry, kinds[entry["category_id"]])
        name = NOT_ANNOTATED_NAME if is_crowd else names[entry["category_id"]]
        shapes.append(Shape(name, area))
    return Drawing(size, tuple(shapes), lines)


def write_coco(drawings: Mapping[str, Drawing], path: Path) -> None:
    """Write the drawings of many images as one file of COCO, whole or not at all.

    An area of one ring becomes a polygon; one with holes or parts, and a line,
    run lengths as text.

    Args:
        drawings: File name of the micrograph to its shapes.
        path: Ends on .json.
    """
    names = sorted({s.class_name for d in drawings.values() for s in d.shapes})
    categories = {name: i for i, name in enumerate(names, start=1)}
    lines = {name for d in drawings.values() for name in d.drawn_line_classes}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, (image_name, drawing) in enumerate(drawings.items(), start=1):
        height, width = drawing.size
        images.append(
            {"id": image_id, "file_name": image_name, "height": height, "width": width}
        )
        for shape in drawing.shapes:
            is_crowd = shape.class_name == NOT_ANNOTATED_NAME
            entry = _entry(shape, drawing.size, is_crowd=is_crowd)
            entry |= {
                "id": len(annotations) + 1,
                "image_id": image_id,
                "category_id": categories[shape.class_name],
            }
            annotations.append(entry)
    content = {
        "info": {"description": "written by defectkeras"},
        "images": images,
        "annotations": annotations,
        "categories": [
            {"id": i, "name": n, _KIND: _LINE if n in lines else "region"}
            for n, i in categories.items()
        ],
    }
    write_json(path, content)


def image_names(content: Mapping[str, Any]) -> list[str]:
    """Give the file names of the images, without the number of Label Studio.

    It puts eight digits before the name of each file that it is given.

    Args:
        content: The JSON of the file.

    Raises:
        MicrographError: When an image has no file name.
    """
    names = [composed(_text(i, "file_name")) for i in _entries(content, "images")]
    info = content.get("info")
    if isinstance(info, dict) and info.get("contributor") == "Label Studio":
        return [_NUMBERED.sub("", name) for name in names]
    return names


def _is_crowd(entry: Mapping[str, Any], kind: Any) -> bool:
    attributes = entry.get("attributes")
    is_of_cvat = isinstance(attributes, dict) and "occluded" in attributes
    means_nothing = is_of_cvat or kind == _OF_SUPERVISION
    return bool(entry.get("iscrowd")) and not means_nothing


def _require_images(content: Mapping[str, Any]) -> None:
    """Refuse annotations of an image that is not listed: no map would show them."""
    ids = [image.get("id") for image in _entries(content, "images")]
    known = set(ids)
    if len(known) < len(ids):
        raise MicrographError(
            "each image must have an id of its own. Received: some with the same one. "
            "Number them anew, with the annotations."
        )
    entries = _entries(content, "annotations")
    lost = [a for a in entries if a.get("image_id") not in known]
    if lost:
        raise MicrographError(
            "every annotation must be of an image in `images`. Received: "
            f"{len(lost)} of none, the first with id {lost[0].get('id')} and image_id "
            f"{lost[0].get('image_id')}. Add the image, or take them out."
        )


def _find_image(
    content: Mapping[str, Any], image_name: str | None
) -> Mapping[str, Any]:
    """Give the image of this file name or stem."""
    images, names = _entries(content, "images"), image_names(content)
    if image_name is None:
        if len(images) == 1:
            return images[0]
        raise MicrographError(
            f"must be read one image at a time. Received: {len(images)} images and no "
            "name of a micrograph."
        )
    # What Windows wrote has backslashes, and it takes slashes, too.
    wanted = composed(image_name)
    of_path = (
        str,
        lambda n: PureWindowsPath(n).name,
        lambda n: PureWindowsPath(n).stem,
    )
    for form in of_path:
        found = [i for i, n in zip(images, names, strict=True) if form(n) == wanted]
        if len(found) > 1:
            raise MicrographError(
                f"must have one image named {image_name!r}. Received: {len(found)} of "
                "them. Take out or rename all but one."
            )
        if found:
            return found[0]
    raise MicrographError(
        f"must have one image named {image_name!r}. Received: {', '.join(names[:5])}"
        f"{', ...' if len(names) > 5 else ''}."
    )


def _rings(segmentation: Any, size: tuple[int, int], where: str) -> tuple[Points, ...]:
    """Give the rings of polygons or of run lengths."""
    if isinstance(segmentation, dict):
        counts = segmentation.get("counts")
        if list(segmentation.get("size", [])) != list(size) or not counts:
            raise MicrographError(
                f"{where}: run lengths must have counts and the size {list(size)} of "
                f"the image. Received: size {segmentation.get('size')}."
            )
        runs = counts_of_text(counts) if isinstance(counts, str) else counts
        return trace_rings(mask_of_counts(runs, size))
    if not isinstance(segmentation, list) or not segmentation:
        raise MicrographError(
            f"{where}: must have a segmentation. Received: none, as of a box, which "
            "is no outline. Draw a polygon or a mask, or take it out."
        )
    polygons = [_polygon(flat, where) for flat in segmentation]
    if len(polygons) == 1:
        return (polygons[0],)
    return join_areas(([polygon] for polygon in polygons), size).rings


def _polygon(flat: Any, where: str) -> Points:
    try:
        xy = np.asarray(flat, dtype=np.float64).reshape(-1, 2)
    except (TypeError, ValueError):
        xy = np.zeros((0, 2))
    if len(xy) < 3 or not np.isfinite(xy).all():
        raise MicrographError(
            f"{where}: a polygon must be x, y, x, y, ... of 3 points or more."
        )
    return np.ascontiguousarray(xy[:, ::-1])


def _entry(shape: Shape, size: tuple[int, int], *, is_crowd: bool) -> dict[str, Any]:
    """Give what an annotation tells of the shape itself; x, y, width, height."""
    box, (top, left) = draw_geometry(shape.geometry, size)
    geometry = shape.geometry
    segmentation: Any
    if isinstance(geometry, Area) and len(geometry.rings) == 1 and not is_crowd:
        segmentation = [geometry.rings[0][:, ::-1].ravel().tolist()]
    else:
        mask = np.zeros(size, dtype=bool)
        mask[top : top + box.shape[0], left : left + box.shape[1]] = box
        counts = counts_of_mask(mask)
        segmentation = {
            "size": list(size),
            "counts": counts if is_crowd else text_of_counts(counts),
        }
    return {
        "segmentation": segmentation,
        "area": int(np.count_nonzero(box)),
        "bbox": [left, top, box.shape[1], box.shape[0]],
        "iscrowd": int(is_crowd),
    }


def _entries(content: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    entries = content[key]
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise MicrographError(f"`{key}` must be a list of objects. Save it again.")
    return entries


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = str(entry.get(key) or "").strip()
    if not value:
        raise MicrographError(f"`{key}` must be a text. Received: {entry.get(key)!r}.")
    return value


def _number(entry: Mapping[str, Any], key: str) -> int:
    value = entry.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise MicrographError(f"`{key}` must be a whole number. Received: {value!r}.")
    return value
