import pytest

from defectkeras.synthesis.contents import DCI_STEM_SCHEME, SCHEME, Contents


def test_schemes_agree_on_indices():
    assert DCI_STEM_SCHEME.classes == SCHEME.classes[:4]
    kinds = {c.name: c.kind for c in SCHEME.defects}
    assert kinds == {
        "dislocation": "line",
        "precipitate": "region",
        "void": "region",
        "loop": "region",
    }


def test_empty_by_default():
    contents = Contents()
    assert contents.dislocation_density_per_m2 == 0
    assert contents.voids_per_m3 == contents.precipitates_per_m3 == 0
    assert contents.loops_per_m3 == 0


@pytest.mark.parametrize("value", [-1.0, float("nan")])
def test_negative_number_is_refused(value):
    with pytest.raises(ValueError, match=r"`voids_per_m3` must be 0 or more"):
        Contents(voids_per_m3=value)
