"""Figures of a benchmark: well formed, and with every candidate."""

import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from defectkeras.reporting.benchmark_figures import (
    SCORES,
    _name_points,
    draw_cost,
    draw_scores,
)

TABLE = pd.DataFrame(
    {
        "group": ["architecture", "loss", "method"],
        "candidate": ["unet(filters=4)", "unet, <ce>", "otsu"],
        **{score: [0.8, 0.7, 0.1] for score in SCORES},
        **{f"{score}_spread": [0.1, np.nan, np.nan] for score in SCORES},
        "cpu_seconds_per_megapixel": [2.0, 2.0, 0.1],
    }
)


def words(svg):
    return [text for text in ET.fromstring(svg).itertext() if text.strip()]


def test_scores_name_each_candidate():
    assert {*TABLE["candidate"], *SCORES.values()} <= set(words(draw_scores(TABLE)))


@pytest.mark.parametrize("draw", [draw_scores, draw_cost])
def test_the_same_table_gives_the_same_bytes(draw):
    assert draw(TABLE) == draw(TABLE)


def test_names_of_near_points_do_not_cover_each_other():
    near = TABLE.assign(
        group="method", iou=[0.50, 0.52, 0.51], cpu_seconds_per_megapixel=[1, 1.2, 1.1]
    )
    figure = Figure()
    axes = figure.add_subplot()
    axes.set(xlim=(0.1, 10), ylim=(0, 1), xscale="log")
    _name_points(axes, near)
    boxes = [name.get_window_extent() for name in axes.texts]
    assert len(boxes) == len(near)
    assert [box.count_overlaps(boxes) for box in boxes] == [1] * len(near)  # itself


def test_cost_names_networks_and_methods_without_arguments():
    told = words(draw_cost(TABLE))
    assert {"unet", "otsu"} <= set(told)
    assert "unet, <ce>" not in told
