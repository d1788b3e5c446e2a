from defectkeras.core.calibration import Calibration
from defectkeras.reporting.field_view import field_view
from defectkeras.reporting.overview import make_overview


def column(overview, label):
    labels = [c.label for c in overview.table.columns]
    return labels.index(label)


def test_each_class_has_its_columns(measured):
    overview = make_overview([measured(), measured(num_voids=16)])
    assert [(g.class_name, g.span) for g in overview.groups] == [
        ("dislocation", 2),
        ("void", 4),
    ]
    assert sum(g.span for g in overview.groups) == len(overview.table.columns)
    assert [row[column(overview, "Count")].text for row in overview.table.rows] == [
        "24",
        "16",
    ]


def test_the_mean_has_the_interval_of_the_field_statistics(measured):
    fields = [measured(num_voids=n) for n in (24, 16, 21, 19)]
    overview = make_overview(fields)
    place = column(overview, "Count")
    (row,) = [r for r in field_view(fields).rows if r[:2] == ("void", "Count")]
    assert (overview.mean[place], overview.interval[place]) == (row[4], row[6])


def test_one_micrograph_has_no_interval(measured):
    overview = make_overview([measured()])
    assert set(overview.mean) == set(overview.interval) == {"–"}


def test_what_one_micrograph_lacks_is_a_dash(measured):
    overview = make_overview([measured(), measured(Calibration())])
    place = column(overview, "Number density")
    assert overview.table.rows[0][place].text != "–"
    assert overview.table.rows[1][place].text == "–"
    assert overview.mean[place] == "–"


def test_a_mean_says_of_how_many_micrographs_it_is(measured):
    overview = make_overview(
        [measured(), measured(num_voids=16), measured(Calibration())]
    )
    assert overview.mean[column(overview, "Number density")].endswith(" (2 of 3)")
    assert "of" not in overview.mean[column(overview, "Count")]


def test_pixels_of_unlike_size_have_no_mean(measured):
    fields = [measured(Calibration(size)) for size in (0.5, 2.0)]
    fields = [*fields, measured(Calibration())]
    overview = make_overview(fields)
    assert overview.mean[column(overview, "Mean equivalent diameter")] != "–"
    assert overview.mean[column(overview, "Count")] != "–"
    assert "px" not in {c.unit for c in overview.table.columns}


def test_without_any_calibration_there_are_pixels(measured):
    overview = make_overview([measured(Calibration()), measured(Calibration())])
    units = {c.label: c.unit for c in overview.table.columns}
    assert units["Mean equivalent diameter"] == "px"
    assert units["Areal density"] == "px⁻²"


def test_nothing_found_is_shown_too(empty, measured):
    overview = make_overview([empty, measured()])
    assert overview.table.rows[0][column(overview, "Count")].text == "0"
