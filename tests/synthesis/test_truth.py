import json

from defectkeras.synthesis.truth import FoilTruth, LineTruth, RegionTruth, TrueObject

TRUTH = FoilTruth(
    shape=(40, 60),
    pixel_size_nm=1.0,
    foil_thickness_nm=100.0,
    lines=LineTruth(2, 300.0, 250.0, 1.25e15, 4.0),
    regions={"void": RegionTruth(1, 4e21, 12.0, 12.0, 0.5, 3.0)},
    swelling_percent=0.5025,
    objects=(TrueObject(1, "void", (3.0, 4.0, 5.0), 12.0, 12.0, 904.8, None, True),),
)


def test_as_json_and_back():
    table = json.loads(json.dumps(TRUTH.to_dict(), allow_nan=False))
    assert table == TRUTH.to_dict()
    assert table["regions"]["void"]["count"] == 1
    assert table["lines"]["dislocation_density_per_m2"] == 1.25e15
    assert table["objects"][0]["center_nm"] == [3.0, 4.0, 5.0]


def test_short_cuts():
    assert TRUTH.line_length_nm == 300.0
    assert TRUTH.dislocation_density_per_m2 == 1.25e15
