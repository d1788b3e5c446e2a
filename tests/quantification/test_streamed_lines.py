import numpy as np

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification import streamed_lines
from defectkeras.quantification.field import Known
from defectkeras.quantification.row_maps import RowMaps
from defectkeras.quantification.settings import QuantifySettings
from defectkeras.quantification.streamed_lines import measure_streamed_lines

LINE = DefectClass(1, "dislocation", "line")
KNOWN = Known(
    LabelScheme((DefectClass(0, "matrix", "matrix"), LINE)),
    Calibration(),
    QuantifySettings(),
)


def measure(class_map, rows):
    maps = RowMaps(
        class_map.shape, lambda a, b: class_map[a:b], band_px=rows * class_map.shape[1]
    )
    return measure_streamed_lines(maps, LINE, KNOWN)


def test_a_network_too_large_for_a_window_is_cut_and_keeps_its_length(
    segment, monkeypatch
):
    mask = np.zeros((400, 130), bool)
    for column in (30, 90):
        segment(mask, (-5, column), (405, column + 8), 5)
    segment(mask, (10, -5), (14, 140), 5)
    class_map = mask.astype(np.int32)
    whole = measure(class_map, 400)
    monkeypatch.setattr(streamed_lines, "LARGEST_BOX_PX", 130 * 110)
    cut = measure(class_map, 50)
    assert len(cut.tables.lines) > len(whole.tables.lines) == 1
    assert cut.class_px == whole.class_px
    lengths = [found.tables.lines["length_px"].sum() for found in (cut, whole)]
    cuts = len(cut.tables.lines) - 1
    assert lengths[1] - 6 * 2 * cuts <= lengths[0] <= lengths[1]
