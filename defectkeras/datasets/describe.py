"""What a set holds: sizes, grey levels, shares of the classes, sizes of objects."""

import dataclasses
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.datasets.facts import MAX_WORKERS
from defectkeras.datasets.form import SPLITS
from defectkeras.datasets.spec import DatasetSpec, Example, LoadedExample, load_example
from defectkeras.datasets.swapped import require_not_swapped

GREY_PERCENTILES = (0.1, 1.0, 50.0, 99.0, 99.9)


@dataclass(frozen=True)
class ObjectSizes:
    """Number and size of the objects of one class.

    Attributes:
        count: Number of objects.
        median_equivalent_diameter_px: Diameter of the disc of the same area,
            the median over the objects; None without objects.
        median_equivalent_diameter_nm: Likewise in nm; None when a pixel size is
            not known.
    """

    count: int
    median_equivalent_diameter_px: float | None
    median_equivalent_diameter_nm: float | None


@dataclass(frozen=True)
class ClassDescription:
    """What one class takes of an example or of the whole set.

    Attributes:
        name: Of the class.
        kind: "matrix", "region" or "line".
        area_fraction_percent: Share of the annotated pixels.
        objects: Of a region class; None for the matrix and for lines, which
            have a length and no diameter.
    """

    name: str
    kind: str
    area_fraction_percent: float
    objects: ObjectSizes | None


@dataclass(frozen=True)
class ExampleDescription:
    """What one example holds.

    Attributes:
        name: Of the example.
        split: "train", "val" or "test".
        specimen: What it shows.
        shape: (H, W) in pixels.
        pixel_size_nm: In nm, or None.
        pixel_size_source: Where the pixel size comes from.
        foil_thickness_nm: In nm, or None.
        grey_percentiles: Grey levels at `GREY_PERCENTILES`.
        not_annotated_percent: Share of the pixels that nobody annotated.
        classes: In the order of the scheme.
    """

    name: str
    split: str
    specimen: str
    shape: tuple[int, int]
    pixel_size_nm: float | None
    pixel_size_source: str
    foil_thickness_nm: float | None
    grey_percentiles: tuple[float, ...]
    not_annotated_percent: float
    classes: tuple[ClassDescription, ...]


@dataclass(frozen=True)
class DatasetDescription:
    """What a set holds.

    Attributes:
        name: Of the set.
        description: For people.
        license: Of the files.
        source: Where the files come from.
        num_examples: Number of examples by split.
        num_specimens: Number of specimens by split.
        grey_percentiles: The percents that the grey levels of the examples are
            given at.
        classes: Over all examples, in the order of the scheme.
        examples: Each by itself.
    """

    name: str
    description: str
    license: str
    source: str
    num_examples: dict[str, int]
    num_specimens: dict[str, int]
    grey_percentiles: tuple[float, ...]
    classes: tuple[ClassDescription, ...]
    examples: tuple[ExampleDescription, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as dicts, lists, numbers and text."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, eq=False)
class _Measured:
    """One example, its raw counts and the diameters of its objects.

    Attributes:
        description: Of the example.
        counts: (K,) pixels of each class.
        diameters_px: For each class, by index, those of its objects.
    """

    description: ExampleDescription
    counts: NDArray[np.int64]
    diameters_px: tuple[NDArray[np.float64], ...]


def describe_dataset(spec: DatasetSpec) -> DatasetDescription:
    """Read all examples of a set and tell what they hold.

    Objects are the 8-connected parts of a region class, or what the annotation
    numbers where it tells them apart.

    Args:
        spec: As loaded.

    Returns:
        The description of each example and of the set.

    Raises:
        DefectKerasError: When a file cannot be read, or micrographs and annotations
            look swapped; `defectkeras data validate` lists all faults.
    """
    require_not_swapped(spec.examples)
    with ThreadPoolExecutor(MAX_WORKERS) as pool:
        measured = list(pool.map(lambda e: _measure(e, spec.scheme), spec.examples))
    return DatasetDescription(
        name=spec.name,
        description=spec.description,
        license=spec.license,
        source=spec.source,
        num_examples=_count_by_split((e.split, e.name) for e in spec.examples),
        num_specimens=_count_by_split((e.split, e.specimen) for e in spec.examples),
        grey_percentiles=GREY_PERCENTILES,
        classes=_describe_all(measured, spec.scheme),
        examples=tuple(m.description for m in measured),
    )


def _measure(example: Example, scheme: LabelScheme) -> _Measured:
    loaded = load_example(example, scheme)
    calibration = loaded.micrograph.calibration
    indices = (NOT_ANNOTATED, *range(scheme.num_classes))
    counts = np.array([np.count_nonzero(loaded.class_map == i) for i in indices])
    diameters_px = tuple(object_diameters_px(loaded, c) for c in scheme.classes)
    percentiles = np.percentile(loaded.micrograph.pixels, GREY_PERCENTILES)
    description = ExampleDescription(
        name=example.name,
        split=example.split,
        specimen=example.specimen,
        shape=loaded.micrograph.shape,
        pixel_size_nm=calibration.pixel_size_nm,
        pixel_size_source=calibration.pixel_size_source,
        foil_thickness_nm=calibration.foil_thickness_nm,
        grey_percentiles=tuple(float(p) for p in percentiles),
        not_annotated_percent=100 * float(counts[0] / counts.sum()),
        classes=_describe_classes(
            scheme,
            counts[1:],
            [[diameters] for diameters in diameters_px],
            [calibration.pixel_size_nm],
        ),
    )
    return _Measured(description, counts[1:], diameters_px)


def object_diameters_px(
    loaded: LoadedExample, defect: DefectClass
) -> NDArray[np.float64]:
    """Give the equivalent diameters of the objects of a class, in px.

    Args:
        loaded: The example, its maps (H, W).
        defect: The class; one that is no region class has no diameters.

    Returns:
        (N,) diameters of the N objects.
    """
    if defect.kind != "region":
        return np.empty(0)
    mask = loaded.class_map == defect.index
    if loaded.label_map is not None:
        areas_px = np.bincount(loaded.label_map[mask])
    else:
        _, _, stats, _ = cv2.connectedComponentsWithStats(
            mask.astype(np.uint8), connectivity=8
        )
        areas_px = stats[1:, cv2.CC_STAT_AREA]
    diameters: NDArray[np.float64] = np.sqrt(4 / np.pi * areas_px[areas_px > 0])
    return diameters


def _describe_classes(
    scheme: LabelScheme,
    counts: NDArray[np.int64],
    diameters_px: Sequence[Sequence[NDArray[np.float64]]],
    pixel_sizes_nm: Sequence[float | None],
) -> tuple[ClassDescription, ...]:
    """Describe the classes of some examples together.

    Args:
        scheme: The K classes.
        counts: (K,) pixels of each class in all the examples.
        diameters_px: For each class and each example, those of its objects.
        pixel_sizes_nm: For each example in nm, or None.
    """
    total = max(1, int(counts.sum()))
    return tuple(
        ClassDescription(
            name=c.name,
            kind=c.kind,
            area_fraction_percent=100 * float(counts[c.index]) / total,
            objects=(
                _object_sizes(diameters_px[c.index], pixel_sizes_nm)
                if c.kind == "region"
                else None
            ),
        )
        for c in scheme.classes
    )


def _object_sizes(
    diameters_px: Sequence[NDArray[np.float64]], pixel_sizes_nm: Sequence[float | None]
) -> ObjectSizes:
    """Pool the objects of some examples."""
    known_nm = [size for size in pixel_sizes_nm if size is not None]
    diameters_nm: list[NDArray[np.float64]] = []
    if len(known_nm) == len(pixel_sizes_nm):
        diameters_nm = [
            d * size for d, size in zip(diameters_px, known_nm, strict=True)
        ]
    return ObjectSizes(
        count=sum(d.size for d in diameters_px),
        median_equivalent_diameter_px=_median(diameters_px),
        median_equivalent_diameter_nm=_median(diameters_nm),
    )


def _median(parts: Sequence[NDArray[np.float64]]) -> float | None:
    values = np.concatenate([np.empty(0), *parts])
    return float(np.median(values)) if values.size else None


def _describe_all(
    measured: Sequence[_Measured], scheme: LabelScheme
) -> tuple[ClassDescription, ...]:
    """Describe the classes over all examples."""
    counts = np.sum([m.counts for m in measured], axis=0, dtype=np.int64)
    return _describe_classes(
        scheme,
        np.broadcast_to(counts, scheme.num_classes),
        [[m.diameters_px[c.index] for m in measured] for c in scheme.classes],
        [m.description.pixel_size_nm for m in measured],
    )


def _count_by_split(pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Count the different names in each split."""
    different = set(pairs)
    return {split: sum(s == split for s, _ in different) for split in SPLITS}
