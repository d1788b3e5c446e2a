import numpy as np
import pytest

from defectkeras.micrographs.annotations.rasterize import draw_maps
from defectkeras.micrographs.annotations.write import (
    SUFFIXES,
    write_annotation,
)


@pytest.mark.parametrize("target", SUFFIXES)
def test_an_empty_field_can_be_written(tmp_path, target, scheme):
    empty = np.zeros((6, 9), np.int32)
    path = tmp_path / f"a{SUFFIXES[target]}"

    write_annotation(
        draw_maps(empty, scheme), (empty, empty), path, target, image_name="a.png"
    )

    assert path.stat().st_size > 0
    assert list(tmp_path.iterdir()) == [path]
