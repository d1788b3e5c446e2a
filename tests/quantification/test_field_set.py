import dataclasses

import numpy as np
import pytest
from scipy import stats

from defectkeras.core.calibration import Calibration
from defectkeras.quantification.field_set import (
    fit_pooled_sizes,
    notes_of_areas,
    summarize_fields,
)
from defectkeras.quantification.intervals import field_statistics, garwood_interval
from defectkeras.quantification.quantify import QuantifySettings, quantify


def measure_fields(scheme, disc, counts, calibration=None, settings=None):
    """Fields with so many voids each."""
    rng = np.random.default_rng(2)
    found = []
    for count in counts:
        class_map = np.zeros((150, 200), np.int32)
        for k in range(count):
            at = 25 + 33 * (k // 5), 25 + 35 * (k % 5)
            disc(class_map, *at, rng.uniform(8, 18), value=3)
        found.append(
            quantify(class_map, scheme, calibration or Calibration(0.5, 80.0),
                     settings=settings)
        )  # fmt: skip
    return found


def test_field_statistics_of_counts(scheme, disc):
    fields = measure_fields(scheme, disc, [4, 6, 5, 5])
    table = summarize_fields(fields).set_index(["class_name", "name"])
    row = table.loc[("void", "count")]
    assert (row["fields"], row["mean"]) == (4, 5)
    half = stats.t.isf(0.025, 3) * np.std([4, 6, 5, 5], ddof=1) / 2
    assert row["high"] - 5 == pytest.approx(half * np.sqrt(row["high"] / 5))
    assert row["relative_accuracy_percent"] == pytest.approx(25.98, abs=0.01)
    assert row["further_fields"] == 28 - 4
    assert row["sigma_fields"] == pytest.approx(np.std([4, 6, 5, 5], ddof=1) / 2)
    assert row["sigma_counting"] == pytest.approx(np.sqrt(5 / 4), rel=0.25)
    assert row["sigma_calibration"] == 0


def test_an_error_that_all_fields_share_does_not_average_out(scheme, disc):
    exact = Calibration(0.5, 80.0)
    known = dataclasses.replace(exact, foil_thickness_sigma_nm=8.0)
    rows = [
        summarize_fields(measure_fields(scheme, disc, [5, 5, 6, 4], c))
        .set_index(["class_name", "name"])
        .loc[("void", "number_density_per_m3")]
        for c in (exact, known)
    ]
    assert rows[1]["sigma_calibration"] == pytest.approx(
        0.09 * rows[1]["mean"], rel=0.2
    )
    assert rows[1]["high"] > rows[0]["high"]


def test_fields_that_do_not_differ_are_as_sure_as_chance_within_them(scheme, disc):
    """That of a count is near to the exact one of all fields together."""
    for count, fields in ((0, 4), (1, 5), (1, 2), (5, 4)):
        table = summarize_fields(measure_fields(scheme, disc, [count] * fields))
        row = table.set_index(["class_name", "name"]).loc[("void", "count")]
        exact = garwood_interval(count * fields)
        assert row["mean"] == count
        assert row["low"] == pytest.approx(exact.low / fields, abs=0.07)
        assert row["high"] == pytest.approx(exact.high / fields, rel=0.12)
        assert np.isnan(row["relative_accuracy_percent"])
        assert np.isnan(row["further_fields"])


def test_nothing_in_any_field_does_not_make_a_part_of_a_whole_surely_zero(scheme, disc):
    table = summarize_fields(measure_fields(scheme, disc, [0, 0, 0]))
    rows = table.set_index(["class_name", "name"]).loc["void"]
    for name in ("area_fraction_percent", "swelling_percent"):
        assert rows.loc[name, "mean"] == 0
        assert rows.loc[name, ["low", "high"]].isna().all()


def test_a_part_of_a_whole_is_at_most_all_of_it(scheme, disc):
    table = summarize_fields(measure_fields(scheme, disc, [1, 20]))
    rows = table.set_index(["class_name", "name"]).loc["void"]
    assert rows.loc["area_fraction_percent", "high"] == 100
    assert rows.loc["count", "high"] > 100


def test_fields_whose_only_object_is_cut_do_not_raise_the_density(scheme):
    """One object of 3 x 3 px at each of the 120 places where 8 x 10 px show it."""
    fields = []
    for row in range(1, 11):
        for column in range(1, 13):
            wide = np.zeros((12, 14), np.int32)
            wide[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = 3
            fields.append(
                quantify(wide[2:-2, 2:-2], scheme, Calibration(1.0, 1e6))
            )  # fmt: skip
    rows = summarize_fields(fields).set_index(["class_name", "name"]).loc["void"]
    for name, per_px2 in (
        ("areal_density_per_px2", 1),
        ("areal_density_per_m2", 1e18),
        ("number_density_per_m3", 1e21),
    ):
        assert rows.loc[name, "fields"] == 120
        assert rows.loc[name, "mean"] == pytest.approx(per_px2 / 120, rel=1e-3)
    assert rows.loc["swelling_percent", "fields"] == 120
    assert rows.loc["mean_equivalent_diameter_nm", "fields"] == 4 * 6
    cut = [q for q in fields if q.find("void", "areal_density_per_m2").value is None]
    only_cut = summarize_fields(cut).set_index(["class_name", "name"]).loc["void"]
    assert "areal_density_per_m2" not in only_cut.index


def test_fields_with_nothing_have_their_interval_beside_one_whose_object_is_cut(scheme):
    empty, cut = np.zeros((2, 40, 50), np.int32)
    cut[10:15, :4] = 3
    known = Calibration(1.0, 80.0)
    nothing = [quantify(empty, scheme, known) for _ in range(4)]
    rows, alone = (
        summarize_fields(fields).set_index(["class_name", "name"]).loc["void"]
        for fields in ([*nothing, quantify(cut, scheme, known)], nothing)
    )
    for name in ("areal_density_per_m2", "number_density_per_m3"):
        assert rows.loc[name, ["fields", "mean", "low"]].tolist() == [5, 0, 0]
        assert rows.loc[name, "high"] == alone.loc[name, "high"]
    assert np.isnan(rows.loc["volume_fraction_percent", "high"])


def test_pixels_of_unlike_size_have_no_mean(scheme, disc):
    both = [
        *measure_fields(scheme, disc, [5, 6], Calibration(0.5)),
        *measure_fields(scheme, disc, [4, 6], Calibration(2.0)),
        *measure_fields(scheme, disc, [5], Calibration()),
    ]
    table = summarize_fields(both)
    assert not table["unit"].str.contains("px").any()
    rows = table.set_index(["class_name", "name"]).loc["void"]
    assert rows.loc["mean_equivalent_diameter_nm", "fields"] == 4
    fits = fit_pooled_sizes(both)
    assert set(fits["unit"]) == {"nm"}
    assert (fits["count"] == 21).all()


def test_one_field_has_no_statistics(scheme, disc):
    assert len(summarize_fields(measure_fields(scheme, disc, [5]))) == 0
    with pytest.raises(ValueError, match="`accuracy_percent` must be above 0"):
        summarize_fields([], accuracy_percent=0)


def test_sizes_are_pooled(scheme, disc):
    table = fit_pooled_sizes(measure_fields(scheme, disc, [5, 15, 10]))
    assert set(table["name"]) == {
        "lognormal", "weibull",
    }  # fmt: skip
    assert (table["count"] == 30).all()
    assert set(table["unit"]) == {"nm"}
    assert table["mean"].between(4, 9).all()


def test_pooled_sizes_are_truncated_at_the_resolution(scheme, disc):
    settings = QuantifySettings(smallest_diameter_px=11.0)
    table = fit_pooled_sizes(
        measure_fields(scheme, disc, [15, 15], Calibration(), settings)
    )
    assert set(table["unit"]) == {"px"}
    assert (table["smallest"] == 11).all()
    assert (table["count"] < 30).all()
    assert len(fit_pooled_sizes([])) == 0


def test_fields_of_unlike_area_are_told(scheme, disc):
    field = measure_fields(scheme, disc, [5])[0]
    height, width = field.shape
    smaller, small = (
        dataclasses.replace(field, shape=(height // n, width)) for n in (4, 2)
    )
    assert notes_of_areas([]) == ()
    assert notes_of_areas([field, small]) == ()
    (note,) = notes_of_areas([field, small, smaller])
    ratio = f"{height / (height // 4):.1f} times the area"
    assert ratio in note
    coarser = dataclasses.replace(field, calibration=Calibration(2.0, 80.0))
    assert "16.0 times the area" in notes_of_areas([field, coarser])[0]
    both = (field, smaller)
    in_px = [dataclasses.replace(q, calibration=Calibration()) for q in both]
    assert ratio in notes_of_areas(in_px)[0]
    assert notes_of_areas([field, in_px[1]]) == ()


@pytest.mark.parametrize("spread", [0.0, 0.3])
@pytest.mark.parametrize("areas", [(1, 4), (1, 1, 1, 1, 20), (1, 2, 3, 4, 5)])
def test_the_plain_mean_of_unlike_fields_is_covered(areas, spread):
    """A ratio of sums with its linearized variance holds 45 to 94 % of these."""
    rng = np.random.default_rng(11)
    areas, shape = np.array(areas, float), (1500, len(areas))
    varied = rng.gamma(spread**-2, spread**2, shape) if spread else np.ones(shape)
    sets = rng.poisson(20.0 * areas * varied) / areas
    found = [field_statistics(values) for values in sets]
    holds = np.mean([f.interval.low <= 20.0 <= f.interval.high for f in found])
    assert np.mean([f.mean for f in found]) == pytest.approx(20.0, rel=0.02)
    assert 0.93 < holds < 0.98
