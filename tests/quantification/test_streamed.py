"""Bands against the whole: the same tables, number by number."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification.quantify import QuantifySettings, quantify
from defectkeras.quantification.row_maps import RowMaps
from defectkeras.quantification.streamed import quantify_rows

SCHEME = LabelScheme(
    (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "dislocation", "line"),
        DefectClass(2, "void", "region"),
        DefectClass(3, "loop", "region"),
    )
)
CALIBRATION = Calibration(0.5, 80.0)
TABLES = ("objects", "lines", "segments", "traces", "distributions")


def rows_of(array):
    return lambda first, stop: array[first:stop]


def draw(seed, shape=(93, 141)):
    """Voids, rings, U shapes, a comb that joins in its last row, and lines."""
    rng = np.random.default_rng(seed)
    class_map = np.zeros(shape, np.int32)
    y, x = np.ogrid[: shape[0], : shape[1]]
    for _ in range(rng.integers(8)):
        (row, column), angle = rng.uniform(size=2) * shape, rng.uniform(0, np.pi)
        away = (y - row) * np.cos(angle) + (x - column) * np.sin(angle)
        class_map[np.abs(away) < rng.uniform(1, 4)] = 1
    for _ in range(rng.integers(12)):
        (row, column), size = rng.uniform(size=2) * shape, rng.uniform(1, 16)
        radius = np.hypot(y - row, (x - column) * rng.uniform(0.5, 2))
        hole = rng.choice([0, 0.5, 0.8]) * size
        class_map[(radius <= size) & (radius >= hole)] = rng.integers(2, 4)
    for _ in range(rng.integers(3)):  # teeth that only the last row joins
        top, left = rng.integers(0, shape[0] - 20), rng.integers(0, shape[1] - 30)
        bottom = rng.integers(top + 5, shape[0])
        index = rng.integers(1, 4)
        for tooth in range(left, left + 24, 6):
            class_map[top:bottom, tooth : tooth + 3] = index
        class_map[bottom - 2 : bottom, left : left + 24] = index
    return class_map


def require_equal(found, wanted):
    for name in TABLES:
        tables = [getattr(result, name) for result in (found, wanted)]
        widths = [c for c in tables[0].columns if c in ("width_px", "width_nm")]
        exact = [table.drop(columns=widths) for table in tables]
        pd.testing.assert_frame_equal(*exact, check_exact=True, obj=name)
        # widths are means of distances in float32
        pd.testing.assert_frame_equal(*tables, rtol=1e-6, obj=name)
    assert found.quantities == wanted.quantities
    assert found.warnings == wanted.warnings


@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 40),
    ends=st.sampled_from(["round", "square"]),
)
@settings(max_examples=6, deadline=None)
@example(seed=6, rows=1, ends="round")  # a region seen from bands far from it
@example(seed=23349, rows=1, ends="round")  # a width that rounds otherwise
@example(seed=11308, rows=1, ends="round")  # thinning ends a line beside the mask
def test_bands_give_the_tables_of_the_whole(seed, rows, ends):
    class_map = draw(seed)
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, class_map.shape).astype(np.float32)
    probability_map = rng.dirichlet(np.ones(4), class_map.shape).astype(np.float32)
    uncertainty = rng.random(class_map.shape, np.float32) / 2
    chosen = QuantifySettings(line_ends=ends)
    wanted = quantify(
        class_map,
        SCHEME,
        CALIBRATION,
        image=image,
        probability_map=probability_map,
        uncertainty=uncertainty,
        settings=chosen,
    )
    own = np.take_along_axis(probability_map, class_map[..., None], axis=-1)[..., 0]
    maps = RowMaps(
        class_map.shape,
        rows_of(class_map),
        rows_of(image),
        rows_of(own),
        rows_of(uncertainty),
        band_px=rows * class_map.shape[1],
    )
    require_equal(quantify_rows(maps, SCHEME, CALIBRATION, settings=chosen), wanted)


def test_nothing_there():
    class_map = np.zeros((30, 50), np.int32)
    maps = RowMaps(class_map.shape, rows_of(class_map), band_px=200)
    require_equal(
        quantify_rows(maps, SCHEME, CALIBRATION),
        quantify(class_map, SCHEME, CALIBRATION),
    )


def test_no_splitting():
    class_map = np.zeros((30, 50), np.int32)
    maps = RowMaps(class_map.shape, rows_of(class_map))
    with pytest.raises(DefectKerasError, match="--split"):
        quantify_rows(
            maps, SCHEME, CALIBRATION, settings=QuantifySettings(split="distance")
        )
