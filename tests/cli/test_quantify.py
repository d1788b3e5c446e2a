"""Measuring masks from the command line."""

import json

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def mask_path(tmp_path):
    mask = np.zeros((80, 120), np.uint8)
    mask[20:40, 30:60] = 255
    path = tmp_path / "mask.png"
    Image.fromarray(mask).save(path)
    return path


def test_numbers_on_stdout(run, mask_path):
    words = ("quantify", mask_path, "--encoding", "binary", "--class", "void")
    shown = run(*words, "--pixel-size-nm", 0.5, "--foil-thickness-sigma-nm", 8)
    assert shown.exit_code == 0, shown.output
    assert "no foil thickness" in shown.stdout
    assert "The error of the foil thickness has no effect" in shown.stderr
    told = json.loads(run(*words, "--json").stdout)
    assert told["calibration"]["pixel_size_nm"] is None
    areas = [q for q in told["quantities"] if q["name"] == "area_fraction_percent"]
    assert areas[0]["value"] == pytest.approx(100 * 600 / 9600)


def test_files_and_dry_run(run, mask_path, tmp_path):
    words = ("quantify", mask_path, "--encoding", "binary", "--out", tmp_path / "out")
    dry = run(*words, "--dry-run")
    assert "Would write" in dry.stderr
    assert not (tmp_path / "out").exists()
    assert run(*words).exit_code == 0
    assert (tmp_path / "out" / "mask" / "objects.csv").exists()


def test_choices_and_errors_reach_the_result(run, mask_path):
    shown = run(
        "quantify", mask_path, "--encoding", "binary", "--pixel-size-nm", 0.5,
        "--foil-thickness-nm", 80, "--foil-thickness-sigma-nm", 8,
        "--foil-thickness-source", "EELS", "--split", "distance",
        "--edge-rule", "forbidden_lines", "--class", "pore", "--swelling-class", "pore",
        "--json",
    )  # fmt: skip
    told = json.loads(shown.stdout)
    assert told["settings"]["split"] == "distance"
    assert told["settings"]["edge_rule"] == "forbidden_lines"
    assert told["calibration"]["foil_thickness_source"] == "EELS"
    parts = {q["name"]: q["parts"] for q in told["quantities"]}
    assert "swelling_percent" in parts
    assert parts["number_density_per_m3"]["thickness"] > 0


def test_wrong_encoding_is_told(run, mask_path):
    result = run("quantify", mask_path)
    assert result.exit_code == 1
    assert "binary" in result.stderr


def test_folder_is_told_what_to_give(run, tmp_path):
    refused = run("quantify", tmp_path)
    assert refused.exit_code == 1
    assert refused.stderr == (
        f"Error: {tmp_path}: must be a file. Received: a folder. "
        "Give one of the files in it.\n"
    )
