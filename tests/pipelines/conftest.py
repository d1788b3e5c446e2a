"""Small drawn micrographs with a dark disc (class 1) and a bright line (class 2)."""

from collections.abc import Callable

import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import LoadedExample


@pytest.fixture
def scheme() -> LabelScheme:
    return LabelScheme(
        (
            DefectClass(0, "matrix", "matrix"),
            DefectClass(1, "void", "region"),
            DefectClass(2, "dislocation", "line"),
        )
    )


@pytest.fixture
def draw_example() -> Callable[..., LoadedExample]:
    def draw(shape=(60, 84), *, seed=0, radius=9.0, classes=(1, 2)) -> LoadedExample:
        rng = np.random.default_rng(seed)
        rows, columns = np.indices(shape)
        pixels = 1000 + rng.normal(0, 20, shape)
        class_map = np.zeros(shape, np.int32)
        if 2 in classes:
            line = abs(columns - 0.7 * shape[1] + 0.3 * rows) < 1.5
            class_map[line], pixels[line] = 2, 1500
        if 1 in classes:
            disc = (rows - shape[0] / 2) ** 2 + (columns - shape[1] / 4) ** 2
            disc = disc < radius**2
            class_map[disc], pixels[disc] = 1, 500
        micrograph = Micrograph(pixels, Calibration(1.0), f"field_{seed}")
        return LoadedExample(micrograph, class_map)

    return draw
