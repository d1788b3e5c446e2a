"""The classes of the small drawn micrographs."""

import pytest

from defectkeras.core.labels import DefectClass, LabelScheme


@pytest.fixture
def scheme() -> LabelScheme:
    return LabelScheme(
        (
            DefectClass(0, "matrix", "matrix"),
            DefectClass(1, "void", "region"),
            DefectClass(2, "dislocation", "line"),
        )
    )
