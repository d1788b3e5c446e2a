"""Figures of prediction against truth: well formed, and true to their data."""

import re
import xml.etree.ElementTree as ET

import numpy as np

from defectkeras.metrics import count_reliability
from defectkeras.quantification.size_distances import Sizes
from defectkeras.reporting.comparison_figures import (
    draw_reliability,
    draw_size_comparison,
)


def words(svg):
    return " ".join(t for t in ET.fromstring(svg).itertext() if t.strip())


def test_reliability_shows_each_class_and_its_error():
    rng = np.random.default_rng(0)
    p = rng.uniform(size=(40, 70))
    true = (rng.uniform(size=p.shape) < p).astype(np.int32)
    counts = count_reliability(true, np.stack([1 - p, p], -1), index=1, num_bins=5)
    svg = draw_reliability({"void & <b>": counts}, colors={"void & <b>": (230, 159, 0)})
    assert "void & <b>, error 0.0" in words(svg)
    marks = re.findall(r"<use [^>]*#e69f00", svg)
    assert len(marks) == 6  # one a bin, one in the legend
    assert svg == draw_reliability(
        {"void & <b>": counts}, colors={"void & <b>": (230, 159, 0)}
    )


def sizes(*diameters):
    return Sizes("nm", np.array(diameters, float), np.ones(len(diameters)))


def test_sizes_tell_counts_and_distances():
    svg = draw_size_comparison(
        sizes(4, 5, 6, 9), sizes(5, 6, 7), class_name="void", color=(230, 159, 0)
    )
    shown = words(svg)
    for text in ("true, 4 objects", "predicted, 3 objects", "KS 0.25", "Diameter (nm)"):
        assert text in shown


def test_sizes_that_differ_by_rounding_alone_are_drawn():
    pair = sizes(0.5, np.nextafter(0.5, 1))
    svg = draw_size_comparison(pair, pair, class_name="void", color=(230, 159, 0))
    assert "true, 2 objects" in words(svg)


def test_no_object_is_told():
    for true, predicted in ((sizes(), sizes(3)), (sizes(), sizes())):
        svg = draw_size_comparison(
            true, predicted, class_name="void", color=(230, 159, 0)
        )
        assert "void: no true" in words(svg)
