"""Annotations, in and out: maps of pixels, and shapes as they were drawn.

A file of a map holds a number for each pixel (`maps`, `colors`); a file of shapes
holds outlines and lines (`labelme`, `coco`, `imagej`). `read` gives either as
class map and label map; `write` gives a map to the user's own tool.
"""

from defectkeras.micrographs.annotations.maps import (
    ENCODINGS,
    NOT_ANNOTATED_VALUE,
    Encoding,
    read_class_map,
    read_label_map,
    write_class_map,
    write_label_map,
)

__all__ = [
    "ENCODINGS",
    "NOT_ANNOTATED_VALUE",
    "Encoding",
    "read_class_map",
    "read_label_map",
    "write_class_map",
    "write_label_map",
]
