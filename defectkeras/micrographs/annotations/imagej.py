"""Regions of interest of ImageJ and Fiji: one .roi, or a RoiSet as .zip.

ImageJ counts areas from the outer corner of the first pixel, but lines from its
center, so lines are shifted by half a pixel. The class of a region is its property
"class", which we write, or its name without the numbers that tools append: "void",
"void-2" and "void 0012" are three voids. That an outline shows a line is its
property "kind". Regions do not know the size of their micrograph, so it must be given.
"""

import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from roifile import ROI_SUBTYPE, ROI_TYPE, ImagejRoi

from defectkeras.core.errors import MicrographError
from defectkeras.core.files import whole_file
from defectkeras.micrographs.annotations.shapes import (
    Area,
    Drawing,
    Line,
    Points,
    Shape,
)

MAX_BYTES = 2**28
"""A RoiSet that unpacks to more is refused."""

_AREAS = (
    ROI_TYPE.POLYGON,
    ROI_TYPE.RECT,
    ROI_TYPE.OVAL,
    ROI_TYPE.FREEHAND,
    ROI_TYPE.TRACED,
)
_LINES = (ROI_TYPE.LINE, ROI_TYPE.POLYLINE, ROI_TYPE.FREELINE)
_CENTER = 0.5  # of a pixel; where ImageJ counts lines from
_OVAL_CORNERS = 128
_CLASS, _KIND, _LINE = "class", "kind", "line"  # properties, and a value
_MOVE, _DRAW, _CLOSE = 0, 1, 4  # of a composite path


def read_imagej(
    path: Path,
    *,
    size: tuple[int, int],
    line_width_px: float | None = None,
    class_name: str | None = None,
) -> Drawing:
    """Give the regions of a file of ImageJ.

    Args:
        path: Ends on .roi or .zip.
        size: (H, W) of the micrograph.
        line_width_px: Width of lines whose own stroke has none.
        class_name: The class of all regions, whatever they are called.

    Raises:
        MicrographError: When the file is damaged, or a region is none that has
            pixels (points, angles, text).
    """
    shapes = []
    lines = set()
    rois = list(_rois(path))
    _require_one_image(rois)
    for number, roi in enumerate(rois, start=1):
        where = f"region {number} ({roi.name or 'without a name'})"
        name = class_name or _property(roi, _CLASS) or class_of_name(roi.name)
        if not name:
            raise MicrographError(
                f"{where}: its name must begin with its class, such as 'void-{number}'."
                " Rename it in the ROI manager, or give one for all by --object-class."
            )
        if _property(roi, _KIND) == _LINE:
            lines.add(name)
        if roi.roitype in _LINES:
            width = float(roi.float_stroke_width or roi.stroke_width) or line_width_px
            if not width:
                raise MicrographError(
                    f"{where}: a line must have a width. Give it a stroke width in "
                    "ImageJ, or use --line-width-px or --line-width-nm."
                )
            points = _points(roi.coordinates(), where) + _CENTER
            shapes.append(Shape(name, Line(points, width)))
        else:
            shapes.append(Shape(name, Area(_rings(roi, where))))
    return Drawing(size, tuple(shapes), frozenset(lines))


def write_imagej(drawing: Drawing, path: Path) -> None:
    """Write a drawing as a RoiSet, whole or not at all.

    An area of one ring becomes a traced polygon, one with holes or parts a
    composite, and a line a polyline with its stroke width.

    Args:
        drawing: The shapes.
        path: Ends on .zip.
    """
    digits = len(str(len(drawing.shapes)))
    lines = drawing.drawn_line_classes
    with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for number, shape in enumerate(drawing.shapes, start=1):
            roi = _roi(shape)
            roi.name = f"{shape.class_name}-{number:0{digits}d}"
            roi.props = f"{_CLASS}: {shape.class_name}\n"
            if shape.class_name in lines:
                roi.props += f"{_KIND}: {_LINE}\n"
            member = f"{number:0{digits}d}.roi"  # any class name is a safe file name
            moment = zipfile.ZipInfo(member, date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(moment, roi.tobytes(), zipfile.ZIP_DEFLATED)


def class_of_name(name: str) -> str:
    """Give the class in the name of a region: all but the numbers at its end.

    Example:
        >>> [class_of_name(n) for n in ("void", "gamma2-3", "black dot_07-1", "12-34")]
        ['void', 'gamma2', 'black dot', '']
    """
    stem = re.sub(r"([\s_-]+\d+)+$", "", name.strip())
    return "" if re.fullmatch(r"[\d\s_-]*", stem) else stem


def _rois(path: Path) -> Iterator[ImagejRoi]:
    """Give the regions of a file, in the order of the archive."""
    if path.suffix.lower() == ".roi":
        yield ImagejRoi.frombytes(path.read_bytes())
        return
    with zipfile.ZipFile(path) as archive:
        members = [m for m in archive.infolist() if m.filename.lower().endswith(".roi")]
        if not members:
            raise MicrographError("must hold regions (.roi). Received: none.")
        if sum(m.file_size for m in members) > MAX_BYTES:
            raise MicrographError(f"must unpack to {MAX_BYTES} bytes at most.")
        for member in members:
            roi = ImagejRoi.frombytes(archive.read(member))
            if not roi.name:
                roi.name = Path(member.filename).stem
            yield roi


def _require_one_image(rois: Sequence[ImagejRoi]) -> None:
    """Refuse regions of several images of a stack, which would all be on one."""
    places = {
        (roi.position, roi.c_position, roi.z_position, roi.t_position) for roi in rois
    } - {(0, 0, 0, 0)}  # which is on all images
    if len(places) > 1:
        raise MicrographError(
            "must hold regions of one image. Received: some of "
            f"{len(places)} images of a stack. Save those of each image in a file of "
            "their own."
        )


def _property(roi: ImagejRoi, name: str) -> str:
    """Give a property of a region, or nothing."""
    lines = (line.partition(":") for line in roi.props.splitlines())
    return next((v.strip() for key, _, v in lines if key.strip() == name), "")


def _rings(roi: ImagejRoi, where: str) -> tuple[Points, ...]:
    """Give the rings of an area."""
    if roi.roitype not in _AREAS or roi.subtype not in (
        ROI_SUBTYPE.UNDEFINED,
        ROI_SUBTYPE.ROTATED_RECT,
        ROI_SUBTYPE.ELLIPSE,
    ):
        raise MicrographError(
            f"{where}: must be an area or a line. Received: {roi.roitype.name.lower()}"
            f", {roi.subtype.name.lower()}. Take it out of the set."
        )
    if roi.roitype == ROI_TYPE.OVAL and not roi.composite:
        return (_oval(roi),)
    return tuple(_points(c, where) for c in roi.coordinates(multi=True) if len(c) > 2)


def _oval(roi: ImagejRoi) -> Points:
    """Give a polygon of the area of the ellipse, finer than that of roifile."""
    if roi.subpixelrect:
        top, left, height, width = roi.yd, roi.xd, roi.heightd, roi.widthd
    else:
        top, left = roi.top, roi.left
        height, width = roi.bottom - roi.top, roi.right - roi.left
    step = 2 * np.pi / _OVAL_CORNERS
    angles = step * np.arange(_OVAL_CORNERS)
    radii = np.array([height, width]) / 2 * np.sqrt(step / np.sin(step))
    circle = np.stack([np.sin(angles), np.cos(angles)], axis=1)
    oval: Points = np.array([top + height / 2, left + width / 2]) + radii * circle
    return oval


def _points(coordinates: object, where: str) -> Points:
    """Give (N, 2) rows and columns of ImageJ's x and y."""
    xy = np.asarray(coordinates, dtype=np.float64)
    if xy.ndim != 2 or not len(xy) or not np.isfinite(xy).all():
        raise MicrographError(f"{where}: must have points. Received: none.")
    return np.ascontiguousarray(xy[:, ::-1])


def _roi(shape: Shape) -> ImagejRoi:
    """Give a region of ImageJ."""
    geometry = shape.geometry
    if isinstance(geometry, Line):
        roi = ImagejRoi.frompoints(np.float32(geometry.points[:, ::-1] - _CENTER))
        roi.roitype = ROI_TYPE.POLYLINE
        roi.float_stroke_width = geometry.width_px
        roi.stroke_width = max(1, round(geometry.width_px))
        return roi
    if len(geometry.rings) == 1:
        (ring,) = geometry.rings
        is_whole = bool((ring == np.rint(ring)).all())
        xy = ring[:, ::-1]
        roi = ImagejRoi.frompoints(xy.astype(np.int32 if is_whole else np.float32))
        roi.roitype = ROI_TYPE.TRACED if is_whole else ROI_TYPE.POLYGON
        return roi
    return _composite(geometry)


def _composite(area: Area) -> ImagejRoi:
    """Give several rings as one region; a ring in a ring is a hole."""
    path: list[float] = []
    for ring in area.rings:
        for i, (row, column) in enumerate(ring.tolist()):
            path += [_MOVE if i == 0 else _DRAW, column, row]
        path.append(_CLOSE)
    points = np.concatenate(area.rings)
    roi = ImagejRoi()
    roi.roitype = ROI_TYPE.RECT
    roi.top, roi.left = (int(v) for v in np.floor(points.min(axis=0)))
    roi.bottom, roi.right = (int(v) for v in np.ceil(points.max(axis=0)))
    roi.multi_coordinates = np.array(path, dtype=np.float32)
    roi.shape_roi_size = len(path)
    return roi
