import json
import time

import cv2
import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification.agreement import match_objects
from defectkeras.quantification.quantify import QuantifySettings, quantify

LOOPS = LabelScheme(
    (DefectClass(0, "matrix", "matrix"), DefectClass(1, "loop", "region"))
)


def test_tables_and_distributions(scheme, shared_class_map):
    result = quantify(shared_class_map, scheme, Calibration(0.5, 80.0))
    assert set(result.objects["class_name"]) == {"precipitate", "void", "loop"}
    assert set(result.lines["class_name"]) == {"dislocation"}
    counts = result.objects["class_name"].value_counts()
    for name in ("precipitate", "void", "loop"):
        assert result.find(name, "count").value == counts[name]
        histogram = result.distributions[result.distributions["class_name"] == name]
        of_class = result.objects[result.objects["class_name"] == name]
        assert histogram["count"].sum() == (~of_class["touches_border"]).sum()
    assert result.shape == (220, 300)


def test_reference_values_without_a_pixel_size(scheme, shared_class_map):
    result = quantify(shared_class_map, scheme, Calibration())
    for quantity in result.quantities:
        has_metres = quantity.unit in ("nm", "m^-1", "m^-2", "m^-3")
        assert (quantity.value is None) == (
            has_metres or "volume" in quantity.name or "swelling" in quantity.name
        )
        assert (quantity.reason is None) == (quantity.value is not None)


def test_without_thickness_all_areal_values_are_there(scheme, shared_class_map):
    result = quantify(shared_class_map, scheme, Calibration(0.5))
    missing = {q.name for q in result.quantities if q.value is None}
    assert missing == {
        "dislocation_density_per_m2",
        "dislocation_density_intercepts_per_m2",
        "number_density_per_m3",
        "volume_fraction_percent",
        "swelling_percent",
    }


def test_values_and_intervals_scale_as_their_units(scheme, shared_class_map):
    """The same field a hundred times finer: no number in it knows what a nm is."""
    powers = {"nm": 1, "m^-1": -1, "m^-2": -2, "m^-3": -3}
    known = Calibration(0.5, 80.0, foil_thickness_sigma_nm=8.0)
    finer = Calibration(0.005, 0.8, foil_thickness_sigma_nm=0.08)
    found, fine = (quantify(shared_class_map, scheme, c) for c in (known, finer))
    for quantity in found.quantities:
        other = fine.find(quantity.class_name, quantity.name)
        factor = 0.01 ** powers.get(quantity.unit, 0)
        for name in ("value", "low", "high"):
            expected = factor * getattr(quantity, name)
            assert getattr(other, name) == pytest.approx(expected), quantity


@pytest.mark.parametrize("kind", ["line", "region"])
def test_tables_without_a_class_of_their_kind_keep_their_heads(kind):
    scheme = LabelScheme(
        (DefectClass(0, "matrix", "matrix"), DefectClass(1, "crack", kind))
    )
    settings = QuantifySettings(split="none" if kind == "region" else "probability")
    blank = np.zeros((40, 60), np.int32)
    found = quantify(blank, scheme, Calibration(0.5, 80.0), settings=settings)
    assert "area_nm2" in found.objects
    assert "low" in found.distributions
    for table in (found.lines, found.segments, found.traces):
        assert "length_nm" in table
        assert len(table) == 0


def test_classes_of_other_names_swell_and_are_discs(disc):
    class_map = np.zeros((60, 90), np.int32)
    disc(class_map, 30, 35, 8, value=1)
    for name in ("void", "bubble"):
        scheme = LabelScheme((LOOPS.classes[0], DefectClass(1, name, "region")))
        settings = QuantifySettings(swelling_classes=(name,))
        calibration = Calibration(0.5, 80.0)
        found = quantify(class_map, scheme, calibration, settings=settings)
        assert found.find(name, "swelling_percent").value > 0
    settings = QuantifySettings(loop_classes=("buble",))
    with pytest.raises(DefectKerasError, match="Did you mean 'bubble'"):
        quantify(class_map, scheme, calibration, settings=settings)


def test_touching_objects_are_told_apart_by_a_label_map(scheme, disc):
    class_map = np.zeros((60, 90), np.int32)
    label_map = np.zeros_like(class_map)
    for label, column in ((4, 35), (9, 47)):
        disc(class_map, 30, column, 14, value=3)
        disc(label_map, 30, column, 14, value=label)
    one = quantify(class_map, scheme, Calibration())
    two = quantify(class_map, scheme, Calibration(), label_map=label_map)
    assert one.find("void", "count").value == 1
    assert two.objects["label"].tolist() == [4, 9]


def test_grey_levels(scheme, shared_class_map):
    image = np.where(shared_class_map == 3, 0.2, 0.7).astype(np.float32)
    objects = quantify(shared_class_map, scheme, Calibration(), image=image).objects
    means = objects.groupby("class_name")["mean_grey_level"].mean()
    assert means["void"] == pytest.approx(0.2)
    assert means["precipitate"] == pytest.approx(0.7)


def test_large_objects_are_warned_about(scheme, disc):
    class_map = np.zeros((60, 80), np.int32)
    disc(class_map, 0, 0, 30, value=3)
    class_map[2:58, 20:76] = 3
    warnings = quantify(class_map, scheme, Calibration()).warnings
    assert any("touch the border" in w for w in warnings) or any(
        "edge weight is cut" in w for w in warnings
    )


@pytest.mark.parametrize("rule", ["miles_lantuejoul", "all"])
def test_only_a_rule_that_drops_objects_is_warned_about(scheme, disc, rule):
    class_map = np.zeros((60, 80), np.int32)
    for at in ((0, 20), (0, 60), (30, 40)):
        disc(class_map, *at, 12, value=3)
    settings = QuantifySettings(edge_rule=rule)
    warnings = quantify(class_map, scheme, Calibration(), settings=settings).warnings
    assert any("rest on the others" in w for w in warnings) == (rule != "all")


def test_pixels_that_nobody_annotated_are_told(scheme, shared_class_map):
    assert quantify(shared_class_map, scheme, Calibration()).warnings == ()
    class_map = shared_class_map.copy()
    class_map[: len(class_map) // 4] = -1
    warning, *_ = quantify(class_map, scheme, Calibration()).warnings
    assert "25 % of the pixels are not annotated (255 in a class map)" in warning


def test_wrong_input_is_told(scheme, shared_class_map):
    with pytest.raises(DefectKerasError, match="label_map must have the shape"):
        quantify(
            shared_class_map,
            scheme,
            Calibration(),
            label_map=np.zeros((3, 4), np.int32),
        )
    with pytest.raises(DefectKerasError, match="annotated"):
        quantify(np.full((5, 7), -1, np.int32), scheme, Calibration())
    with pytest.raises(ValueError, match="class indices"):
        quantify(np.full((5, 7), 9, np.int32), scheme, Calibration())


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 5), (16, 24)])
def test_tiny_fields(scheme, shape):
    for value in range(-1, 5):
        class_map = np.zeros(shape, np.int32)
        class_map[0, 0] = value
        if shape != (1, 1) or value >= 0:
            quantify(class_map, scheme, Calibration(1.0, 50.0))


def test_same_input_same_result(scheme, shared_class_map):
    first, second = (
        quantify(shared_class_map, scheme, Calibration(0.5, 80.0)).to_dict()
        for _ in range(2)
    )
    assert first == second


def test_loops_of_real_micrographs(shared_data):
    """The authors' own figures for annotator a, 2048 x 2048, 0.2554 nm / px.

    Theirs: every object, also at the border, and N / (A t). Count, area and
    densities agree to rounding. Their diameters agree to 0.3 %. Their largest
    Feret diameter is 0.14 to 0.21 px larger than ours (1 %), as they measure
    between outermost corners of another outline.
    """
    folder = shared_data("loops_ti")
    settings = QuantifySettings(
        edge_rule="all", number_density_method="naive", diameter_method="apparent"
    )
    frames = json.loads((folder / "reference_quantities.json").read_text())
    for frame in frames[::3]:
        path = folder / "instances_annotator_a" / f"frame_{frame['frame']:04d}.png"
        label_map = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(np.int32)
        result = quantify(
            (label_map > 0).astype(np.int32),
            LOOPS,
            Calibration(0.2554, 170.0),
            label_map=label_map,
            settings=settings,
        )
        expected = frame["annotator_a"]

        def value(name, result=result):
            return result.find("loop", name).value

        assert value("count") == expected["count"]
        assert value("area_fraction_percent") == pytest.approx(
            100 * expected["area_fraction"]
        )
        assert value("number_density_per_m3") == pytest.approx(
            expected["number_density_per_m3"], rel=1e-6
        )
        assert value("areal_density_per_m2") == pytest.approx(
            1e4 * expected["number_density_per_cm2"], rel=1e-6
        )
        assert value("mean_equivalent_diameter_nm") == pytest.approx(
            expected["mean_equivalent_diameter_nm"], rel=3e-3
        )
        assert value("mean_max_feret_nm") == pytest.approx(
            expected["mean_max_feret_nm"], rel=0.01
        )


def test_two_annotators_of_real_micrographs(shared_data):
    folder = shared_data("loops_ti")
    (frame, *_) = json.loads((folder / "reference_quantities.json").read_text())
    maps = [
        cv2.imread(
            str(folder / f"instances_annotator_{who}" / "frame_0002.png"),
            cv2.IMREAD_UNCHANGED,
        ).astype(np.int32)
        for who in "ab"
    ]
    match = match_objects(*maps)
    assert match.true_count == frame["annotator_a"]["count"]
    assert match.predicted_count == frame["annotator_b"]["count"]
    assert 0.1 < match.f1 < 0.9  # they agree poorly


@pytest.mark.slow
def test_sixteen_million_pixels_take_seconds(scheme):
    rng = np.random.default_rng(0)
    class_map = np.zeros((4096, 4096), np.uint8)
    for _ in range(300):
        ends = rng.integers(0, 4096, 4).tolist()
        cv2.line(class_map, tuple(ends[:2]), tuple(ends[2:]), 1, 5)
    for i in range(100):
        for j in range(100):
            center = (20 + 40 * j + int(rng.integers(8)), 20 + 40 * i)
            axes = rng.integers(2, 14, 2).tolist()
            cv2.ellipse(class_map, center, axes, 30.0 * (i % 6), 0, 360, 3, -1)
    start = time.process_time()
    result = quantify(class_map.astype(np.int32), scheme, Calibration(0.5, 90.0))
    assert len(result.objects) == 10_000
    assert time.process_time() - start < 20
