"""A sheet of all micrographs of a set with their annotations."""

from collections.abc import Iterator
from pathlib import Path

from defectkeras.datasets.spec import DatasetSpec, load_example
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.reporting.contact_sheet import Item, draw_contact_sheet
from defectkeras.reporting.overlay import write_png


def write_contact_sheet(spec: DatasetSpec, path: Path) -> None:
    """Draw every example of a set, small, with its classes in color.

    Args:
        spec: The set.
        path: Of the PNG file.

    Raises:
        DefectKerasError: When a file cannot be read.
    """
    write_png(draw_contact_sheet(_items(spec), spec.scheme), path)


def _items(spec: DatasetSpec) -> Iterator[Item]:
    for example in spec.examples:
        loaded = load_example(example, spec.scheme)
        image = normalize_percentile(loaded.micrograph.pixels)
        yield f"{example.name} ({example.split})", image, loaded.class_map
