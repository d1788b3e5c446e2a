import dataclasses

import numpy as np
import pandas as pd
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import scheme_of_names
from defectkeras.quantification.quantify import quantify
from defectkeras.quantification.results import Quantity
from defectkeras.reporting.views import (
    calibration_facts,
    methods_in_use,
    quantity_groups,
    quantity_row,
    table_view,
)

SHAPE = "240 × 400 px, rows × columns"


def test_quantities_come_by_class_in_nm(measured):
    groups = {g.class_name: g for g in quantity_groups(measured())}
    assert list(groups) == ["dislocation", "void"]
    rows = {r.label: r for r in groups["void"].rows}
    assert rows["Count"].value == "24"
    assert rows["Mean equivalent diameter"].unit == "nm"
    assert rows["Number density"].unit == "m⁻³"
    assert rows["Number density"].value.endswith("× 10²²")
    assert "Miles-Lantuéjoul" in rows["Number density"].method
    assert [r.unit for r in groups["void"].rows].count("px") == 0


def test_without_calibration_there_are_pixels_and_reasons(measured):
    void = quantity_groups(measured(Calibration()))[1]
    rows = {r.label: r for r in void.rows}
    assert rows["Mean equivalent diameter"].unit == "px"
    assert "Number density" not in rows
    (missing,) = [m for m in void.missing if "pixel size" in m.reason]
    assert "Number density (m⁻³)" in missing.labels
    assert "Swelling (%)" in missing.labels


def test_without_thickness_only_the_volume_is_missing(measured):
    void = quantity_groups(measured(Calibration(pixel_size_nm=0.5)))[1]
    (missing,) = void.missing
    assert "foil thickness" in missing.reason
    assert missing.labels.startswith("Number density (m⁻³)")
    assert "diameter" not in missing.labels


def test_what_is_missing_is_named_in_one_unit():
    empty = np.zeros((40, 60), np.int32)
    (void,) = quantity_groups(
        quantify(empty, scheme_of_names(["void"]), Calibration(0.5, 80.0))
    )
    (missing,) = void.missing
    assert missing.labels.startswith("Mean equivalent diameter (nm), ")
    assert "(px)" not in missing.labels


def test_a_row_has_value_and_interval_to_the_same_digits():
    row = quantity_row(
        Quantity(
            "void",
            "number_density_per_m3",
            1.2207e21,
            "m^-3",
            0.906e21,
            1.609e21,
            "miles_lantuejoul+cut_corrected+garwood",
        )
    )
    assert row.value == "1.22 × 10²¹"
    assert row.interval == "(0.91 to 1.61) × 10²¹"
    assert row.method == "Miles-Lantuéjoul, cut corrected, Garwood"
    assert "Abel" in row.method_text


def test_a_count_is_whole_and_a_mean_of_counts_is_not():
    count = Quantity("void", "count", 12346.0, "1", 6000.0, 21000.0)
    assert quantity_row(count).value == "12346"
    mean = dataclasses.replace(count, parts={"fields": 3000.0, "counting": 80.0})
    assert quantity_row(mean).value == "12300"


def test_only_methods_behind_a_value_are_explained(measured):
    full = methods_in_use([measured()])
    assert {"cut_corrected", "projected_length", "garwood"} <= set(full)
    plain = methods_in_use([measured(Calibration())])
    assert "cut_corrected" not in plain
    assert set(plain) < set(full)


def test_a_table_shows_nm_and_keeps_positions_in_px(measured):
    view = table_view(measured().objects)
    heads = [(c.label, c.unit) for c in view.columns]
    assert ("Centroid row", "px") in heads
    assert ("Equivalent diameter", "nm") in heads
    assert ("Equivalent diameter", "px") not in heads
    assert ("Area", "nm²") in heads
    assert not any("weight" in label for label, _ in heads)
    assert len(view.rows) == view.total == 24
    by_label = dict(zip([c.label for c in view.columns], view.rows[0], strict=True))
    assert by_label["Touches border"].text in ("yes", "no")
    assert by_label["Number"].text == "1"
    assert not by_label["Class"].text.isdigit()


def test_without_calibration_a_table_is_in_px(measured):
    view = table_view(measured(Calibration()).objects)
    heads = [(c.label, c.unit) for c in view.columns]
    assert ("Equivalent diameter", "px") in heads


def test_a_long_table_is_cut():
    table = pd.DataFrame({"label": range(1, 1001), "area_px": [2.5] * 1000})
    view = table_view(table, max_rows=7)
    assert len(view.rows) == 7
    assert view.total == 1000
    assert [c.is_number for c in view.columns] == [True, True]
    assert view.rows[6][0].text == "7"


@pytest.mark.parametrize(
    ("calibration", "texts"),
    [
        (
            Calibration(0.2554, 170.0, "user", "user"),
            ["0.2554 nm", "170 nm", SHAPE, "61.3 × 102.2 nm, height × width"],
        ),
        (
            Calibration(1.5625, None, "user"),
            [
                "1.5625 nm",
                "not known: nothing per volume",
                SHAPE,
                "375 × 625 nm, height × width",
            ],
        ),
        (
            Calibration(0.5, 90.0, "user", "user", 0.004, 9.0),
            [
                "0.5 ± 0.004 nm",
                "90 ± 9 nm",
                SHAPE,
                "120 × 200 nm, height × width",
            ],
        ),
        (
            Calibration(5.0, None, "file tag 34682"),
            [
                "5 nm",
                "not known: nothing per volume",
                SHAPE,
                "1.2 × 2 µm, height × width",
            ],
        ),
        (
            Calibration(),
            [
                "not known: results are in pixels",
                "not known: nothing per volume",
                SHAPE,
            ],
        ),
    ],
)
def test_calibration_is_told(calibration, texts):
    facts = calibration_facts(calibration, (240, 400))
    assert [value for _, value, _ in facts] == texts
    if calibration.pixel_size_nm:
        assert facts[0][2] == calibration.pixel_size_source
