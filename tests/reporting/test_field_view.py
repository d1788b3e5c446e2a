from defectkeras.quantification.field_set import summarize_fields
from defectkeras.reporting.field_view import HEAD, field_view
from defectkeras.reporting.numbers import MISSING


def test_rows_are_those_of_the_statistics(measured):
    fields = [measured(num_voids=n, seed=n) for n in (12, 18, 24)]
    view = field_view(fields)
    assert view.head == HEAD
    (row,) = [r for r in view.rows if r[:2] == ("void", "Count")]
    found = summarize_fields(fields).query("class_name == 'void' and name == 'count'")
    assert row[3:5] == ("3", "18")
    assert row[5] == "6"
    assert row[7] == f"{found['relative_accuracy_percent'].iloc[0]:.0f}"
    assert row[8] == f"{found['further_fields'].iloc[0]:.0f}"


def test_equal_fields_of_one_object_have_a_mean_without_an_interval(measured):
    view = field_view([measured(num_voids=1)] * 2)
    (row,) = [r for r in view.rows if r[:2] == ("void", "Mean equivalent diameter")][:1]
    assert row[4] != row[6] == MISSING


def test_one_field_has_no_statistics(measured):
    assert field_view([measured()]).rows == ()
