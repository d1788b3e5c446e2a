import numpy as np

from defectkeras.quantification.moments import measure_moments
from defectkeras.quantification.runs import find_runs


def test_a_bar():
    label_map = np.zeros((12, 20), np.int32)
    label_map[4:6, 3:13] = 1
    found = measure_moments(find_runs(label_map))
    assert found["area_px"].tolist() == [20]
    assert (found["centroid_row_px"][0], found["centroid_column_px"][0]) == (4.5, 7.5)
    # 4 times the standard deviation of 10 pixels in a row, (n^2 - 1) / 12.
    np.testing.assert_allclose(found["major_axis_px"], 4 * np.sqrt(99 / 12))
    assert found["orientation_deg"][0] == 0


def test_an_object_one_pixel_wide_is_long():
    label_map = np.zeros((12, 30), np.int32)
    label_map[2, 3:23] = 1
    label_map[range(5, 11), range(5, 11)] = 2
    label_map[5, 20] = 3
    found = measure_moments(find_runs(label_map))
    np.testing.assert_allclose(found["minor_axis_px"], 0, atol=1e-6)
    np.testing.assert_allclose(
        found["aspect_ratio"], [*found["major_axis_px"][:2], 1], rtol=1e-6
    )
