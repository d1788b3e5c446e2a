import numpy as np
import pytest

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.find import find_micrographs
from defectkeras.micrographs.ome_zarr import open_ome_zarr
from defectkeras.micrographs.read import read_micrograph

zarr = pytest.importorskip("zarr", reason="extra `montages` is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:zarr")

PIXELS = np.random.default_rng(0).integers(0, 60000, (60, 90)).astype(np.uint16)


def write(path, pixels, version):
    """As other programs write it: five axes, micrometres, a reduced copy."""
    group = zarr.open_group(path, mode="w", zarr_format=version)
    axes = [{"name": n, "type": "space", "unit": "micrometer"} for n in "yx"]
    axes = [{"name": n, "type": "channel"} for n in "tcz"[: pixels.ndim - 2]] + axes
    levels = []
    for number, step in enumerate((1, 2)):
        level = pixels[..., ::step, ::step]
        chunks = (*[1] * (pixels.ndim - 2), 32, 32)
        array = group.create_array(
            str(number), shape=level.shape, dtype=level.dtype, chunks=chunks
        )
        array[...] = level
        scale = [1.0] * (pixels.ndim - 2) + [0.0005 * step] * 2
        change = [{"type": "scale", "scale": scale}]
        levels.append({"path": str(number), "coordinateTransformations": change})
    images = [{"axes": axes, "datasets": levels}]
    if version == 2:
        group.attrs["multiscales"] = [{**images[0], "version": "0.4"}]
    else:
        group.attrs["ome"] = {"version": "0.5", "multiscales": images}


@pytest.mark.parametrize("version", [2, 3])
def test_full_resolution_and_pixel_size(tmp_path, version):
    path = tmp_path / "field.ome.zarr"
    write(path, PIXELS[None, None, None], version)
    assert find_micrographs([tmp_path]) == find_micrographs([path]) == [path]
    micrograph = read_micrograph(path)
    np.testing.assert_array_equal(micrograph.pixels, PIXELS)
    assert micrograph.calibration.pixel_size_nm == pytest.approx(0.5)
    assert micrograph.calibration.pixel_size_source == "OME-Zarr multiscales"
    with open_ome_zarr(path, None) as rows:
        np.testing.assert_array_equal(rows.read_rows(30, 41), PIXELS[30:41])


def test_a_plane_among_several(tmp_path):
    path = tmp_path / "field.zarr"
    write(path, np.stack([PIXELS, PIXELS + 1]), 3)
    np.testing.assert_array_equal(read_micrograph(path, frame=1).pixels, PIXELS + 1.0)
    with pytest.raises(MicrographError, match="--frame"):
        read_micrograph(path)


def test_a_plain_array_has_no_pixel_size(tmp_path):
    path = tmp_path / "field.zarr"
    zarr.save_array(path, PIXELS)
    assert read_micrograph(path).calibration.pixel_size_nm is None


def test_other_folders_are_told(tmp_path):
    path = tmp_path / "plate.zarr"
    zarr.open_group(path, mode="w").attrs["plate"] = {}
    with pytest.raises(MicrographError, match="multiscales"):
        read_micrograph(path)
    (tmp_path / "empty.zarr").mkdir()
    with pytest.raises(MicrographError, match=r"empty\.zarr"):
        read_micrograph(tmp_path / "empty.zarr")
