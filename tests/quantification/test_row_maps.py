import numpy as np

from defectkeras.quantification.row_maps import RowMaps


def test_bands_follow_each_other_and_know_their_neighbors():
    maps = RowMaps(
        (25, 10), lambda first, stop: np.zeros((stop - first, 10)), band_px=75
    )
    bands = list(maps.bands(4))
    assert [(b.first, b.stop) for b in bands] == [(0, 7), (7, 14), (14, 21), (21, 25)]
    assert [b.first_known for b in bands] == [0, 3, 10, 17]
    assert [b.stop_known for b in bands] == [11, 18, 25, 25]
    assert all(b.first_known + b.inner.start == b.first for b in bands)
