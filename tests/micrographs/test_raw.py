import numpy as np
import pytest

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.raw import read_raw, require_bytes

PIXELS = np.arange(12, dtype=">i2").reshape(3, 4)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "pixels.raw"
    path.write_bytes(b"header!" + PIXELS.tobytes())
    return path


def test_pixels_begin_at_the_offset(path):
    read = read_raw(path, dtype=np.dtype(">i2"), shape=(3, 4), offset=7)

    np.testing.assert_array_equal(read, PIXELS)


def test_a_file_that_ends_early_is_refused(path):
    with pytest.raises(MicrographError, match=r"31 bytes.*promises 32"):
        read_raw(path, dtype=np.dtype(">i2"), shape=(3, 4), offset=8)


def test_a_file_may_be_longer(path):
    require_bytes(path, 10)
