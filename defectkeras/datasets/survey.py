"""What a set measures, as training must know it: all that a plan is made from."""

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import NOT_ANNOTATED, Mask
from defectkeras.core.errors import DatasetError
from defectkeras.core.labels import LabelScheme
from defectkeras.datasets.appearance import (
    brightness_slope,
    class_contrasts,
    scan_roughness,
)
from defectkeras.datasets.describe import GREY_PERCENTILES, object_diameters_px
from defectkeras.datasets.facts import MAX_WORKERS
from defectkeras.datasets.fingerprint import fingerprint_examples
from defectkeras.datasets.spec import Example, load_example

Sizes = Sequence[NDArray[np.float64]]
MeasureWidths = Callable[[Mask], NDArray[np.float64]]
"""From a mask (H, W) of lines to their widths in px, such as `widths_in_mask_px`."""


@dataclass(frozen=True)
class Spread:
    """How many values there are, and how they lie.

    Attributes:
        count: Number of values.
        smallest: The 5th percentile.
        median: The 50th percentile.
        largest: The 95th percentile.
    """

    count: int
    smallest: float
    median: float
    largest: float


@dataclass(frozen=True)
class ClassSurvey:
    """What is measured of one class over some examples.

    Attributes:
        name: Of the class.
        kind: "matrix", "region" or "line".
        pixels: Annotated pixels.
        fraction: Their share of all annotated pixels, from 0 to 1.
        examples: Examples that show it.
        diameters_px: Equivalent diameters of the objects of a region class; None
            for other kinds and without objects.
        diameters_nm: Likewise; None where a pixel size is not known.
        line_widths_px: Of a line class, at each pixel of its middle line; None for
            other kinds and without lines in the field.
        line_widths_nm: Likewise; None where a pixel size is not known.
        contrasts: How much brighter than the matrix it is in each micrograph, see
            `class_contrasts`; None where no micrograph shows both.
    """

    name: str
    kind: str
    pixels: int
    fraction: float
    examples: int
    diameters_px: Spread | None
    diameters_nm: Spread | None
    line_widths_px: Spread | None
    line_widths_nm: Spread | None
    contrasts: Spread | None

    @property
    def sizes_px(self) -> Spread | None:
        """Diameters of objects, or widths of lines.

        The median stands for thin lines, since all lines look thinner at their ends.
        """
        return self.diameters_px or _without_ends(self.line_widths_px)

    @property
    def sizes_nm(self) -> Spread | None:
        """Likewise in nm."""
        return self.diameters_nm or _without_ends(self.line_widths_nm)


@dataclass(frozen=True)
class Survey:
    """What is measured of some examples together.

    Attributes:
        examples: Their number.
        specimens: Number of specimens.
        fingerprint: sha256 over all micrographs and annotations.
        pixels: Of all micrographs.
        heights_px: Of the micrographs.
        widths_px: Of the micrographs.
        pixel_sizes_nm: Of the micrographs whose pixel size is known, or None.
        unknown_pixel_sizes: Micrographs without a pixel size.
        grey_levels: For each percent of `GREY_PERCENTILES`, the grey levels of
            the micrographs, raw.
        grey_middles: Median grey levels, from 0 (1st percentile of the
            micrograph) to 1 (99th percentile).
        scan_roughness: Of the micrographs, see `appearance.scan_roughness`.
        brightness_slopes: Of the micrographs, see `appearance.brightness_slope`.
        not_annotated: Share of the pixels that nobody annotated, from 0 to 1.
        examples_with_gaps: Examples with such pixels.
        classes: In the order of the scheme.
    """

    examples: int
    specimens: int
    fingerprint: str
    pixels: int
    heights_px: Spread
    widths_px: Spread
    pixel_sizes_nm: Spread | None
    unknown_pixel_sizes: int
    grey_levels: dict[str, Spread]
    grey_middles: Spread
    scan_roughness: Spread
    brightness_slopes: Spread
    not_annotated: float
    examples_with_gaps: int
    classes: tuple[ClassSurvey, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as dicts, lists, numbers and text."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, eq=False)
class _Measured:
    """One example: what it looks like, pixels, contrasts and sizes by class."""

    shape: tuple[int, int]
    pixel_size_nm: float | None
    grey_levels: NDArray[np.float64]
    scan_roughness: float
    brightness_slope: float
    counts: NDArray[np.int64]
    contrasts: tuple[float | None, ...]
    diameters_px: Sizes
    line_widths_px: Sizes


def survey_examples(
    examples: Sequence[Example], scheme: LabelScheme, measure_widths: MeasureWidths
) -> Survey:
    """Read some examples and measure what training must know of them.

    Args:
        examples: Of a data spec, such as its training split.
        scheme: The classes.
        measure_widths: Measures the lines of a mask.

    Raises:
        DatasetError: When there is no example.
        DefectKerasError: When a file cannot be read.
    """
    if not examples:
        raise DatasetError("There must be an example to measure. Received: none.")
    with ThreadPoolExecutor(MAX_WORKERS) as pool:
        measured = list(
            pool.map(lambda e: _measure(e, scheme, measure_widths), examples)
        )
    known_nm = [m.pixel_size_nm for m in measured if m.pixel_size_nm is not None]
    levels = np.array([m.grey_levels for m in measured])
    p1, p50, p99 = (levels[:, GREY_PERCENTILES.index(p)] for p in (1.0, 50.0, 99.0))
    gaps = [int(m.counts[0]) for m in measured]
    pixels = sum(m.shape[0] * m.shape[1] for m in measured)
    return Survey(
        examples=len(examples),
        specimens=len({e.specimen for e in examples}),
        fingerprint=fingerprint_examples(examples),
        pixels=pixels,
        heights_px=_all_of([float(m.shape[0]) for m in measured]),
        widths_px=_all_of([float(m.shape[1]) for m in measured]),
        pixel_sizes_nm=spread(known_nm),
        unknown_pixel_sizes=len(measured) - len(known_nm),
        grey_levels={
            f"{percent:g}": _all_of(levels[:, i])
            for i, percent in enumerate(GREY_PERCENTILES)
        },
        grey_middles=_all_of((p50 - p1) / np.maximum(p99 - p1, 1e-12)),
        scan_roughness=_all_of([m.scan_roughness for m in measured]),
        brightness_slopes=_all_of([m.brightness_slope for m in measured]),
        not_annotated=sum(gaps) / pixels,
        examples_with_gaps=sum(gap > 0 for gap in gaps),
        classes=tuple(
            _survey_class(measured, scheme, index)
            for index in range(scheme.num_classes)
        ),
    )


def spread(values: Any) -> Spread | None:
    """Give number, 5th, 50th and 95th percentile; None without values.

    Example:
        >>> spread([1.0, 2.0, 6.0])
        Spread(count=3, smallest=1.1, median=2.0, largest=5.6)
    """
    array = np.asarray(values, float)
    return _all_of(array) if array.size else None


def _all_of(values: Any) -> Spread:
    low, middle, high = np.percentile(values, (5, 50, 95))
    return Spread(len(values), float(low), float(middle), float(high))


def _without_ends(widths: Spread | None) -> Spread | None:
    return widths and dataclasses.replace(widths, smallest=widths.median)


def _measure(
    example: Example, scheme: LabelScheme, measure_widths: MeasureWidths
) -> _Measured:
    loaded = load_example(example, scheme)
    indices = (NOT_ANNOTATED, *range(scheme.num_classes))
    none, pixels = np.empty(0), loaded.micrograph.pixels
    return _Measured(
        shape=loaded.micrograph.shape,
        pixel_size_nm=loaded.micrograph.calibration.pixel_size_nm,
        grey_levels=np.percentile(pixels, GREY_PERCENTILES),
        scan_roughness=scan_roughness(pixels),
        brightness_slope=brightness_slope(pixels),
        counts=np.array([np.count_nonzero(loaded.class_map == i) for i in indices]),
        contrasts=class_contrasts(
            pixels, loaded.class_map, num_classes=scheme.num_classes
        ),
        diameters_px=[object_diameters_px(loaded, c) for c in scheme.classes],
        line_widths_px=[
            measure_widths(loaded.class_map == c.index) if c.kind == "line" else none
            for c in scheme.classes
        ],
    )


def _survey_class(
    measured: Sequence[_Measured], scheme: LabelScheme, index: int
) -> ClassSurvey:
    counts = [int(m.counts[index + 1]) for m in measured]
    annotated = sum(int(m.counts[1:].sum()) for m in measured)
    sizes_nm = [m.pixel_size_nm for m in measured]
    diameters = [m.diameters_px[index] for m in measured]
    widths = [m.line_widths_px[index] for m in measured]
    return ClassSurvey(
        name=scheme.classes[index].name,
        kind=scheme.classes[index].kind,
        pixels=sum(counts),
        fraction=sum(counts) / max(1, annotated),
        examples=sum(count > 0 for count in counts),
        diameters_px=spread(np.concatenate(diameters)),
        diameters_nm=_in_nm(diameters, sizes_nm),
        line_widths_px=spread(np.concatenate(widths)),
        line_widths_nm=_in_nm(widths, sizes_nm),
        contrasts=spread(
            [c for m in measured if (c := m.contrasts[index]) is not None]
        ),
    )


def _in_nm(sizes_px: Sizes, pixel_sizes_nm: Sequence[float | None]) -> Spread | None:
    """Pool sizes in nm; None where a pixel size is not known."""
    known = [nm for nm in pixel_sizes_nm if nm is not None]
    if len(known) < len(pixel_sizes_nm):
        return None
    return spread(
        np.concatenate([s * nm for s, nm in zip(sizes_px, known, strict=True)])
    )
