import dataclasses

import numpy as np

from defectkeras.quantification.bland_altman import bland_altman
from defectkeras.reporting.agreement_figures import draw_bland_altman
from defectkeras.reporting.comparison_tables import comparison_tables
from defectkeras.reporting.comparison_views import (
    count_view,
    difference_view,
    kappa_view,
    pair_view,
    paired_test_view,
    spread_view,
)


def test_counts_have_the_form_of_papers(compared):
    view = count_view(compared())

    assert view.head == (
        "Defect",
        "anna, count",
        "ben, count",
        "difference",
        "net@1, count",
        "difference",
    )
    name, first, second, difference, *_ = view.rows[1]
    assert name == "void"
    percent = 100 * (int(second) / int(first) - 1)
    assert difference == f"+{percent:.1f} %"


def test_all_rows_fit_their_head(compared):
    found = compared()
    for view in (
        count_view(found),
        pair_view(found),
        kappa_view(found),
        difference_view(found),
        paired_test_view(found),
        spread_view(found),
    ):
        assert view.rows
        assert {len(row) for row in view.rows} == {len(view.head)}


def test_one_field_has_dashes_for_what_it_cannot_tell(compared):
    found = compared(num_fields=1)

    assert {row[-1] for row in difference_view(found).rows} == {"–"}
    assert {row[-1] for row in paired_test_view(found).rows} == {"–"}


def test_lines_are_matched_as_objects(compared):
    rows = [row for row in pair_view(compared()).rows if row[1] == "dislocation"]

    assert len(rows) == 3
    assert all("–" not in row[2:] for row in rows)


def test_differences_that_do_not_vary_have_no_limits(compared):
    found = compared(num_fields=2)
    limits = bland_altman(np.array([3.0, 8.0]), np.array([5.0, 10.0]))
    difference = dataclasses.replace(found.differences[0], limits=limits)
    found = dataclasses.replace(found, differences=(difference,))
    (cells,) = difference_view(found).rows
    assert cells[-2:] == ("2", "no spread")
    row = comparison_tables(found)["differences"].iloc[0]
    assert row["bias"] == 2
    assert row.filter(like="limit").isna().all()
    assert row[["bias_low", "bias_high"]].isna().all()
    assert draw_bland_altman(difference).axes
