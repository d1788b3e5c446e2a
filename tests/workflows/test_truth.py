"""Measured quantities beside what was in the foil."""

import numpy as np

from defectkeras.quantification.quantify import quantify
from defectkeras.synthesis.presets import PRESETS
from defectkeras.synthesis.synthesize import synthesize
from defectkeras.workflows.truth import compare_with_truth, true_quantities


def test_one_row_per_quantity_with_its_error():
    scene = synthesize("dci-stem", shape=(300, 420), seed=4)
    measured = quantify(
        scene.class_map, PRESETS["dci-stem"].scheme, scene.micrograph.calibration
    )
    table = compare_with_truth(scene.truth, measured)
    assert len(table) == len(true_quantities(scene.truth))
    row = table.set_index(["class_name", "name"]).loc[("void", "swelling_percent")]
    assert row["true"] == scene.truth.swelling_percent
    np.testing.assert_allclose(
        row["error_percent"], 100 * (row["measured"] / row["true"] - 1)
    )


def test_what_is_not_there_has_no_row():
    scene = synthesize("voids", shape=(200, 260), seed=4)
    assert {name for name, _ in true_quantities(scene.truth)} == {"void"}
