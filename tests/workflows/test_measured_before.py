import json

import numpy as np
import pytest
from PIL import Image

from defectkeras.core.errors import DefectKerasError
from defectkeras.workflows.quantify import ClassMapRequest, quantify_into_folder


@pytest.fixture
def measure(tmp_path, no_figures):
    """Give a function that measures a mask of a number of voids."""

    def measure(name, voids, **changes):
        mask = np.zeros((60, 90), np.uint8)
        for i in range(voids):
            mask[20:28, 5 + 20 * i : 13 + 20 * i] = 1
        Image.fromarray(mask).save(tmp_path / f"{name}.png")
        request = ClassMapRequest(
            tmp_path / f"{name}.png", classes=("void",), pixel_size_nm=0.5
        )
        quantify_into_folder(request, tmp_path / "out", **changes)
        return (tmp_path / "out" / "report.html").read_text(encoding="utf-8")

    return measure


def test_class_maps_measured_one_after_another_share_a_page(measure):
    alone = measure("b", 2, command="quantify b.png")
    assert "All micrographs" not in alone
    assert "quantify b.png" in alone

    page = measure("a", 4, command="quantify a.png")
    assert "2 micrographs" in page
    assert "All micrographs" in page
    assert page.index("Micrograph a") < page.index("Micrograph b")
    assert "in its summary.json" in page
    assert "quantify a.png" not in page
    assert "3 micrographs" not in measure("a", 3, overwrite=True)


def test_the_page_of_a_model_is_not_overwritten(measure, tmp_path):
    measure("b", 2)
    summary = tmp_path / "out" / "b" / "summary.json"
    model = {"model": {"reference": "voids@3"}}
    summary.write_text(json.dumps(json.loads(summary.read_text()) | model))
    with pytest.raises(DefectKerasError, match="b, analyzed with voids@3"):
        measure("a", 3)
    assert not (tmp_path / "out" / "a").exists()
