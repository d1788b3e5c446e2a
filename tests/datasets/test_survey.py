"""What is measured, against what was drawn."""

import json
import math

import numpy as np
import pytest

from defectkeras.core.errors import DatasetError
from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.datasets.survey import spread, survey_examples
from defectkeras.quantification.line_graph import widths_in_mask_px

AREA = 24 * 36
SMALL, LARGE = math.sqrt(16 * 4 / math.pi), math.sqrt(64 * 4 / math.pi)


def survey(path, split=None):
    spec = load_dataset_spec(path)
    return survey_examples(
        spec.of_split(split) if split else spec.examples,
        spec.scheme,
        widths_in_mask_px,
    )


def test_what_was_drawn_is_measured(draw_set, image):
    found = survey(draw_set())
    assert (found.examples, found.specimens, found.pixels) == (3, 3, 3 * AREA)
    assert (found.heights_px.median, found.widths_px.median) == (24, 36)
    assert found.pixel_sizes_nm is None
    assert found.unknown_pixel_sizes == 3
    matrix, void, line = found.classes
    assert matrix.diameters_px is None
    assert [c.pixels for c in (void, line)] == [3 * 80, 3 * 36]
    assert void.fraction == pytest.approx(80 / AREA)
    assert void.diameters_px == spread([SMALL, LARGE] * 3)
    assert void.diameters_nm is None
    assert line.line_widths_px.median == 1.0
    medians = [np.median(image(seed)) for seed in range(3)]
    assert found.grey_levels["50"] == spread(medians)
    json.dumps(found.to_dict(), allow_nan=False)


def test_pixel_size_gives_nanometres(draw_set):
    found = survey(draw_set({'{stem}.png"': '{stem}.png"\npixel_size_nm = 0.5'}))
    assert found.pixel_sizes_nm.median == 0.5
    void, line = found.classes[1:]
    assert void.diameters_nm.largest == pytest.approx(void.diameters_px.largest / 2)
    assert line.sizes_nm.smallest == line.line_widths_nm.median == 0.5


def test_gaps_are_counted(tmp_path, draw_set, draw, mask):
    path = draw_set()
    mask[0] = 255
    draw(tmp_path / "masks" / "c.png", mask)
    found = survey(path)
    assert found.not_annotated == pytest.approx(36 / (3 * AREA))
    assert found.examples_with_gaps == 1
    assert survey(path, "train").examples_with_gaps == 0


def test_nothing_to_measure_is_told(draw_set):
    spec = load_dataset_spec(draw_set())
    with pytest.raises(DatasetError, match="must be an example"):
        survey_examples(spec.of_split("test"), spec.scheme, widths_in_mask_px)
