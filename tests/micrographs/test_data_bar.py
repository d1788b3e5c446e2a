import numpy as np
import pytest

from defectkeras.micrographs.data_bar import data_bar_notes
from defectkeras.micrographs.read import read_micrograph


@pytest.mark.parametrize(
    ("scanned", "bar", "rows"),
    [(16, 4, 16), (20, 4, 20), (20, 0, 20), ("many", 4, 20), (0, 20, 20)],
)
def test_bar_below_the_scanned_rows_is_left_out(
    tmp_path, write_sem, scanned, bar, rows
):
    pixels = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30)
    path = tmp_path / "sem.tif"
    micrograph = read_micrograph(
        write_sem(path, pixels, bar_px=bar, scanned_px=scanned)
    )
    np.testing.assert_array_equal(micrograph.pixels, pixels[:rows])
    assert micrograph.file_shape == (20, 30)
    notes = data_bar_notes(micrograph.data_bar_px)
    assert len(notes) == (rows < 20)
    assert not notes or "lowest 4 rows" in notes[0]
