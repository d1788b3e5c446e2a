"""A map or a drawing to the user's own tool."""

from pathlib import Path
from typing import Literal

from defectkeras.core.arrays import ClassMap, LabelMap
from defectkeras.micrographs.annotations.coco import write_coco
from defectkeras.micrographs.annotations.imagej import write_imagej
from defectkeras.micrographs.annotations.labelme import write_labelme
from defectkeras.micrographs.annotations.maps import write_class_map, write_label_map
from defectkeras.micrographs.annotations.shapes import Drawing

Target = Literal["labelme", "coco", "imagej", "labels", "classes"]

SUFFIXES: dict[Target, str] = {
    "labelme": ".json",
    "coco": ".json",
    "imagej": ".zip",
    "labels": ".tif",
    "classes": ".png",
}
"""Suffix of each kind of file."""


def write_annotation(
    drawing: Drawing,
    maps: tuple[ClassMap, LabelMap],
    path: Path,
    target: Target,
    *,
    image_name: str,
) -> None:
    """Write the annotation of one micrograph for a tool, whole or not at all.

    Args:
        drawing: Its shapes.
        maps: The same as class map and label map, each (H, W).
        path: Ends as `SUFFIXES` says.
        target: "labelme", "coco", "imagej" (a RoiSet), "labels" (a TIFF of object
            numbers, for napari) or "classes" (a PNG of class indices).
        image_name: File name of the micrograph, which labelme and COCO want.
    """
    class_map, label_map = maps
    match target:
        case "labelme":
            write_labelme(drawing, path, image_name=image_name)
        case "coco":
            write_coco({image_name: drawing}, path)
        case "imagej":
            write_imagej(drawing, path)
        case "labels":
            write_label_map(label_map, path)
        case "classes":
            write_class_map(class_map, path)
