import json
import math

import numpy as np
import pytest
from PIL import Image

from defectkeras.core.errors import DefectKerasError
from defectkeras.datasets.describe import GREY_PERCENTILES, describe_dataset
from defectkeras.datasets.spec import load_dataset_spec

AREA = 24 * 36
SMALL, LARGE = math.sqrt(16 * 4 / math.pi), math.sqrt(64 * 4 / math.pi)


def test_what_was_drawn_is_described(draw_set, image):
    description = describe_dataset(load_dataset_spec(draw_set()))
    assert description.num_examples == {"train": 2, "val": 1, "test": 0}
    first = description.examples[0]
    assert first.shape == (24, 36)
    assert first.not_annotated_percent == 0
    assert [c.area_fraction_percent for c in first.classes] == pytest.approx(
        [100 * (AREA - 116) / AREA, 100 * 80 / AREA, 100 * 36 / AREA]
    )
    matrix, void, line = first.classes
    assert matrix.objects is None
    assert line.objects is None
    assert void.objects.count == 2
    middle = (SMALL + LARGE) / 2
    assert void.objects.median_equivalent_diameter_px == pytest.approx(middle)
    assert void.objects.median_equivalent_diameter_nm is None
    expected = np.percentile(image(0), GREY_PERCENTILES)
    assert first.grey_percentiles == pytest.approx(expected)


def test_the_whole_set_is_pooled(tmp_path, draw_set, draw, mask):
    path = draw_set()
    mask[2:6, 3:7] = 0  # c has the large square alone
    mask[0] = 255
    draw(tmp_path / "masks" / "c.png", mask)
    description = describe_dataset(load_dataset_spec(path))
    void = description.classes[1]
    assert void.objects.count == 5
    assert void.objects.median_equivalent_diameter_px == pytest.approx(LARGE)
    share = 100 * (80 + 80 + 64) / (3 * AREA - 36)
    assert void.area_fraction_percent == pytest.approx(share)
    assert description.examples[2].not_annotated_percent == pytest.approx(100 / 24)


def test_a_pixel_size_gives_nanometres(draw_set):
    path = draw_set({'{stem}.png"': '{stem}.png"\npixel_size_nm = 0.5'})
    description = describe_dataset(load_dataset_spec(path))
    for described in (description, description.examples[0]):
        sizes = described.classes[1].objects
        middle = (SMALL + LARGE) / 2
        assert sizes.median_equivalent_diameter_nm == pytest.approx(middle / 2)
    assert description.examples[0].pixel_size_source == "data spec"


def test_numbered_objects_that_touch_are_counted_apart(tmp_path, draw_set):
    told = '{stem}.png"\nencoding = "objects"\nobject_class = "void"'
    path = draw_set({'{stem}.png"': told, '["a", "b"]': '["a"]', '["c"]': '["b", "c"]'})
    labels = np.zeros((24, 36), np.uint16)
    labels[2:6, 3:7] = 700  # two squares side by side
    labels[2:6, 7:11] = 3
    Image.fromarray(labels).save(tmp_path / "masks" / "a.png")
    description = describe_dataset(load_dataset_spec(path))
    sizes = description.examples[0].classes[1].objects
    assert sizes.count == 2
    assert sizes.median_equivalent_diameter_px == pytest.approx(SMALL)


def test_objects_that_touch_at_a_corner_are_one(tmp_path, draw_set, draw, mask):
    path = draw_set()
    mask[6:8, 7:9] = 1
    draw(tmp_path / "masks" / "a.png", mask)
    description = describe_dataset(load_dataset_spec(path))
    assert description.examples[0].classes[1].objects.count == 2


def test_a_class_without_an_object_has_no_size(tmp_path, draw_set, draw, mask):
    path = draw_set()
    draw(tmp_path / "masks" / "a.png", mask * 0)
    description = describe_dataset(load_dataset_spec(path))
    sizes = description.examples[0].classes[1].objects
    assert sizes.count == 0
    assert sizes.median_equivalent_diameter_px is None


def test_a_set_without_examples_is_described(draw_set):
    path = draw_set({'train = ["a", "b"]\nval = ["c"]': 'unused = ["*"]'})
    description = describe_dataset(load_dataset_spec(path))
    assert description.examples == ()
    assert [c.area_fraction_percent for c in description.classes] == [0, 0, 0]


def test_specimens_are_counted_once(tmp_path, draw_set, draw, mask, image):
    path = draw_set(
        {'["c"]': '["c", "c2"]', '{stem}.png"': '{stem}.png"\nspecimen = "^(.)"'}
    )
    draw(tmp_path / "images" / "c2.png", image(5))
    draw(tmp_path / "masks" / "c2.png", mask)
    description = describe_dataset(load_dataset_spec(path))
    assert description.num_examples == {"train": 2, "val": 2, "test": 0}
    assert description.num_specimens == {"train": 2, "val": 1, "test": 0}


def test_it_can_be_written_as_json(draw_set):
    facts = describe_dataset(load_dataset_spec(draw_set())).to_dict()
    assert json.loads(json.dumps(facts))["classes"][1]["name"] == "void"


def test_swapped_folders_are_told(tmp_path, draw_set):
    spec = draw_set()
    folder = tmp_path
    (folder / "images").rename(folder / "other")
    (folder / "masks").rename(folder / "images")
    (folder / "other").rename(folder / "masks")
    with pytest.raises(DefectKerasError, match="look swapped"):
        describe_dataset(load_dataset_spec(spec))


def test_a_file_that_cannot_be_read_is_our_error(tmp_path, draw_set):
    path = draw_set()
    (tmp_path / "masks" / "b.png").unlink()
    with pytest.raises(DefectKerasError, match=r"b\.png"):
        describe_dataset(load_dataset_spec(path))
