"""What docs/data_specs.md says is so."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile

from defectkeras.core.labels import DefectClass
from defectkeras.datasets.check import validate_dataset_spec
from defectkeras.datasets.form import SourceForm, SpecForm, SplitForm

PAGE = (Path(__file__).parents[2] / "docs" / "data_specs.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture
def steel(tmp_path, draw, mask, image):
    (tmp_path / "micrographs").mkdir()
    for seed in range(1, 5):
        name = f"S{seed}_dark_01"
        tifffile.imwrite(tmp_path / "micrographs" / f"{name}.tif", image(seed))
        draw(tmp_path / "annotations" / f"{name}.png", mask)
    path = tmp_path / "steel.toml"
    path.write_text(blocks("toml")[0])
    return path


def test_the_example_is_a_right_set(steel):
    assert validate_dataset_spec(steel) == ()


def test_the_python_example_runs(steel, monkeypatch, capsys):
    monkeypatch.chdir(steel.parent)
    exec(blocks("python")[0], {})
    assert capsys.readouterr().out == "(24, 36) 0.5\n"


def test_the_message_about_masks_of_0_and_255_is_what_validate_says(steel, draw, mask):
    draw(steel.parent / "annotations" / "S1_dark_01.png", (mask > 0) * np.uint8(255))
    (problem,) = validate_dataset_spec(steel)
    assert problem.message == blocks("text")[0].strip()


@pytest.mark.parametrize("form", [SpecForm, DefectClass, SourceForm, SplitForm])
def test_every_key_is_on_the_page(form):
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("|")]
    told = set(re.findall(r"`(\w+)`", " ".join(rows)))
    keys = {f.name for f in dataclasses.fields(form)}
    assert keys - {"classes", "sources", "split"} <= told
