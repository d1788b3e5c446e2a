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
