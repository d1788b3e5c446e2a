import numpy as np

from defectkeras.core.row_file import RowFile


def test_rows_come_back_from_anywhere(tmp_path):
    values = np.random.default_rng(0).normal(size=(23, 7)).astype(np.float32)
    file = RowFile(tmp_path / "rows", values.shape, np.float32)
    for first in range(0, 23, 5):
        file.append(values[first : first + 5])
    np.testing.assert_array_equal(file.read(0, 23), values)
    np.testing.assert_array_equal(file.read(4, 11), values[4:11])
    assert file.path.stat().st_size == 4 * values.size
    np.testing.assert_array_equal(file.mapped()[5:9, 2:4], values[5:9, 2:4])
