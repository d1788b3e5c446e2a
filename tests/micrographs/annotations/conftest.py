"""A field with touching objects, a hole, two parts and a diagonal, drawn."""

import numpy as np
import pytest

from defectkeras.core.labels import DefectClass, LabelScheme

SCHEME = LabelScheme(
    (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "phase-1", "region"),  # a name that ends like a number
        DefectClass(2, "void", "region"),
    )
)


@pytest.fixture
def scheme():
    return SCHEME


@pytest.fixture
def label_map():
    """(24, 37): 1 and 2 touch, 3 has a hole, 4 has two parts, 5 a diagonal."""
    labels = np.zeros((24, 37), np.int32)
    labels[2:8, 2:7] = 1
    labels[3:9, 7:12] = 2
    labels[12:20, 3:13] = 3
    labels[14:17, 6:9] = 0
    labels[1:4, 20:24] = labels[1:4, 27:31] = 4
    labels[10, 20] = labels[11, 21] = labels[12, 22] = 5
    labels[22:24, 30:37] = 6
    return labels


@pytest.fixture
def class_map(label_map):
    """Three objects are phase-1, the others voids; a part is not annotated."""
    classes = np.where(label_map > 3, 2, np.minimum(label_map, 1)).astype(np.int32)
    classes[18:22, 18:26] = -1
    return classes
