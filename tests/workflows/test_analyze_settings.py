import pytest

from defectkeras.core.errors import CalibrationError
from defectkeras.workflows.analyze_settings import AnalyzeSettings


@pytest.mark.parametrize("size_nm", [0.0, float("nan"), float("inf")])
def test_a_wrong_size_is_told_once_and_not_for_each_file(size_nm):
    with pytest.raises(CalibrationError, match="pixel_size_nm"):
        AnalyzeSettings(pixel_size_nm=size_nm)
    with pytest.raises(CalibrationError, match="foil_thickness_nm"):
        AnalyzeSettings(foil_thickness_nm=size_nm)
