import pytest
from hypothesis import given
from hypothesis import strategies as st

from defectkeras.core.errors import DatasetError
from defectkeras.core.labels import DefectClass, LabelScheme

MATRIX = DefectClass(0, "matrix", "matrix")
VOID = DefectClass(1, "void", "region")
LINE = DefectClass(2, "dislocation", "line")


def test_a_scheme_counts_the_matrix_and_knows_its_defects():
    scheme = LabelScheme((MATRIX, VOID, LINE))
    assert scheme.num_classes == 3
    assert scheme.defects == (VOID, LINE)
    assert scheme.by_name("dislocation") is LINE


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ((), "at least two"),
        ((MATRIX,), "at least two"),
        ((MATRIX, LINE), "0, 1, 2"),  # a gap
        ((VOID, MATRIX), "0, 1, 2"),
        ((MATRIX, MATRIX), "0, 1, 2"),
        ((MATRIX, DefectClass(1, "matrix", "region")), "differ"),
        ((MATRIX, DefectClass(1, "void", "matrix")), "Class 0"),
        ((DefectClass(0, "bulk", "region"), VOID), "Class 0"),
        ((MATRIX, DefectClass(1, "void", "regoin")), "Did you mean 'region'"),
        ((MATRIX, DefectClass(1, " ", "region")), "blank"),
    ],
)
def test_a_wrong_scheme_says_what_must_hold(classes, message):
    with pytest.raises(DatasetError, match=message):
        LabelScheme(classes)


def test_unknown_class_gets_the_nearest():
    with pytest.raises(DatasetError, match="Did you mean 'void'"):
        LabelScheme((MATRIX, VOID)).by_name("voids")


@given(
    st.lists(
        st.builds(
            DefectClass,
            st.integers(-1, 4),
            st.text(max_size=3),
            st.sampled_from(["matrix", "region", "line", "other", ""]),
        ),
        max_size=4,
    )
)
def test_every_scheme_that_is_made_holds_its_promises(classes):
    try:
        scheme = LabelScheme(tuple(classes))
    except DatasetError:
        return
    for index, defect_class in enumerate(scheme.classes):
        assert defect_class.index == index
        assert scheme.by_name(defect_class.name) is defect_class
        assert (defect_class.kind == "matrix") == (index == 0)
