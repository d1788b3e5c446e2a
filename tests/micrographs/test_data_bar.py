import numpy as np
import pytest
import tifffile

from defectkeras.micrographs.data_bar import data_bar_notes
from defectkeras.micrographs.read import read_micrograph

TAGS = """[Image]
ResolutionX=30
ResolutionY={scanned}
[PrivateFei]
DatabarHeight={bar}
"""


@pytest.mark.parametrize(
    ("scanned", "bar", "is_told"),
    [(16, 4, True), (20, 4, False), (20, 0, False), ("many", 4, False)],
)
def test_bar_below_the_scanned_rows_is_told(tmp_path, scanned, bar, is_told):
    path = tmp_path / "sem.tif"
    text = TAGS.format(scanned=scanned, bar=bar)
    pixels = np.zeros((20, 30), np.uint8)
    tifffile.imwrite(path, pixels, extratags=[(34682, 2, 1, text, True)])
    notes = data_bar_notes(read_micrograph(path))
    assert bool(notes) == is_told
    assert not is_told or "The lowest 4 rows are a data bar" in notes[0]
