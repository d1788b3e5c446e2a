import numpy as np
import pytest
from PIL import Image

from defectkeras.micrographs.data_bar import data_bar_notes
from defectkeras.micrographs.read import read_micrograph

PIXELS = np.random.default_rng(0).integers(90, 160, (96, 128), dtype=np.uint8)
JEOL = "$CM_FORMAT JEOL/SEM\n$CM_FULL_SIZE {width} {height}\n"
TESCAN = "[MAIN]\nPixelSizeX=1e-9\nPixelSizeY=1e-9\nImageStripSize={bar}\n"


def draw_bar(rows):
    """Give PIXELS with a black bar with letters below."""
    pixels = PIXELS.copy()
    pixels[len(pixels) - rows :] = 0
    pixels[-rows + 2 : -2, 5:60:3] = 255
    return pixels


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


@pytest.mark.parametrize(
    ("text", "bar"),
    [
        (JEOL.format(width=128, height=84), 12),
        (JEOL.format(width=128, height=96), 0),  # drawn into the image
        (JEOL.format(width=64, height=84), 0),  # the image was scaled since
        (JEOL.format(width=128, height="none"), 0),
        (JEOL.format(width=128, height=12), 0),  # more bar than image
        (TESCAN.format(bar=12), 12),
        (TESCAN.format(bar=0), 0),
        (TESCAN.format(bar=1e300), 0),
    ],
)
def test_a_text_beside_the_image_tells_of_the_bar(tmp_path, text, bar):
    Image.fromarray(draw_bar(12)).save(tmp_path / "sem.png")
    (tmp_path / "sem.txt").write_text(text)
    micrograph = read_micrograph(tmp_path / "sem.png")
    np.testing.assert_array_equal(micrograph.pixels, draw_bar(12)[: 96 - bar])


@pytest.mark.parametrize(
    "text", [JEOL.format(width=128, height=84), TESCAN.format(bar=12)]
)
def test_rows_that_are_not_drawn_stay(tmp_path, text):
    Image.fromarray(PIXELS).save(tmp_path / "sem.png")  # cropped since
    (tmp_path / "sem.txt").write_text(text)
    assert read_micrograph(tmp_path / "sem.png").shape == PIXELS.shape


def test_a_bar_of_which_nothing_tells_is_suspected():
    (note,) = data_bar_notes(0, draw_bar(12).astype(np.float32))
    assert "lowest 12 rows look like a data bar" in note
    assert "crop it" in note
    (note,) = data_bar_notes(12, draw_bar(12)[:-12])
    assert "left out" in note


def test_a_micrograph_is_no_bar():
    rows, columns = np.mgrid[:96, :128]
    rough = np.where(rows > 80 + 6 * np.sin(columns / 9), 0, PIXELS)  # a dark edge
    large = np.where(rows > 60, 0, PIXELS)
    line = np.where(rows > 94, 0, PIXELS)
    flat = np.zeros_like(PIXELS)
    for pixels in (PIXELS, rough, large, line, flat, flat[:3]):
        assert data_bar_notes(0, pixels) == ()


@pytest.mark.parametrize(
    "name",
    ["loops_316l", "loops_ti", "precipitates_cr", "precipitates_ni", "cracks_ebc"],
)
def test_no_bar_is_seen_in_real_micrographs_without_one(shared_data, name):
    for path in sorted((shared_data(name) / "images").iterdir()):
        assert data_bar_notes(0, read_micrograph(path).pixels) == ()
