"""The contact sheet shows every micrograph of a set."""

import numpy as np
from PIL import Image

from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.workflows.contact_sheet import write_contact_sheet


def test_sheet_has_a_cell_for_each_example(synthetic_spec, tmp_path):
    path = tmp_path / "sheet.png"
    write_contact_sheet(load_dataset_spec(synthetic_spec), path)
    sheet = np.asarray(Image.open(path))
    assert sheet.ndim == 3
    assert sheet.shape[1] > 4 * 300
    assert sheet.std() > 10
