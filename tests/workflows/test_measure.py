"""A class map measured, and the files that show it."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.quantification.settings import QuantifySettings
from defectkeras.workflows.measure import (
    CalibrationErrors,
    Segmented,
    measure,
    measure_into_folder,
    run_facts,
)

SCHEME = LabelScheme(
    (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "dislocation", "line"),
        DefectClass(2, "void", "region"),
    )
)


@pytest.fixture
def segmented():
    class_map = np.zeros((100, 160), np.int32)
    class_map[48:53, :] = 1
    class_map[10:22, 30:42] = 2
    pixels = np.random.default_rng(0).normal(80, 4, (100, 160)).astype(np.float32)
    return Segmented(
        micrograph=Micrograph(pixels, Calibration(2.0, 100.0), "field"),
        class_map=class_map,
        scheme=SCHEME,
        sha256="0" * 64,
        file="field.tif",
        warnings=("look twice",),
    )


def test_files_hold_what_was_measured(segmented, tmp_path):
    run = run_facts(model=None, settings={"a": 1}, command="defectkeras quantify x")
    folder = tmp_path / "field"
    report = measure_into_folder(segmented, run, folder)
    objects = pd.read_csv(folder / "objects.csv")
    assert objects["area_nm2"].tolist() == [4 * 144]
    lines = pd.read_csv(folder / "lines.csv")
    # along a row the unbiased weights give 0.948 per step
    assert lines["length_nm"].iloc[0] == pytest.approx(0.948 * 320, rel=0.02)
    class_map = np.asarray(Image.open(folder / "class_map.png"))
    np.testing.assert_array_equal(class_map, segmented.class_map)
    assert np.asarray(Image.open(folder / "overlay.png")).shape == (100, 160, 3)
    summary = json.loads((folder / "summary.json").read_text())
    assert "tensorflow" not in summary["software"]  # no network was run
    first, note = summary["warnings"]
    assert first == "look twice"
    assert "no rose of orientations" in note
    assert summary["model"] is None
    assert summary["settings"] == {"a": 1}
    assert {q["name"]: q["value"] for q in summary["quantities"]}[
        "dislocation_density_per_m2"
    ] == pytest.approx(
        report.quantification.find("dislocation", "dislocation_density_per_m2").value
    )
    assert report.files["objects.csv"] == "field/objects.csv"


def test_maps_errors_and_other_class_maps_reach_the_numbers(segmented):
    emptier = np.where(segmented.class_map == 2, 0, segmented.class_map)
    probability_map = np.full((100, 160, 3), 0.9, np.float32)
    calibration = CalibrationErrors(None, 10.0, "EELS").of(
        segmented.micrograph.calibration
    )
    known = dataclasses.replace(
        segmented,
        micrograph=dataclasses.replace(segmented.micrograph, calibration=calibration),
        probability_map=probability_map,
        uncertainty=probability_map[..., 0] - 0.8,
        other_class_maps=(segmented.class_map, emptier),
    )
    found = measure(known, QuantifySettings(split="distance"))
    assert found.objects["confidence"].tolist() == pytest.approx([0.9])
    assert found.objects["uncertainty"].tolist() == pytest.approx([0.1])
    assert set(found.find("void", "number_density_per_m3").parts) == {
        "counting", "thickness", "model",
    }  # fmt: skip
    assert found.calibration.foil_thickness_source == "EELS"
    assert "mean_grey_level" in found.objects


def test_older_folder_stays_unless_replaced(segmented, tmp_path):
    run = run_facts(model=None, settings={})
    folder = tmp_path / "field"
    folder.mkdir()
    (folder / "mine.txt").write_text("kept")
    with pytest.raises(FileExistsError):
        measure_into_folder(segmented, run, folder)
    assert (folder / "mine.txt").exists()
    measure_into_folder(segmented, run, folder, replace=True)
    assert not (folder / "mine.txt").exists()
