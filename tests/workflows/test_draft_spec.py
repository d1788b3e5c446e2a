"""A first data spec from what lies in a folder."""

import json

import numpy as np
import pytest
from PIL import Image

from defectkeras.core.errors import DatasetError, MicrographError
from defectkeras.datasets.spec import dataset_spec_of, load_example
from defectkeras.workflows.draft_spec import DraftRequest, color_pixels, draft_spec

MASK = np.zeros((20, 30), np.uint8)
MASK[4:9, 5:12] = 1
MASK[12:16, 20:26] = 1


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def fill(tmp_path):
    """Fill a folder with micrographs, and some masks or files of labelme."""

    def call(micrograph, annotation, *, names="ab", annotated=None, pixels=MASK):
        for name in names:
            save(tmp_path / micrograph.format(name), 90 * MASK + 40)
        for name in annotated or names:
            path = tmp_path / annotation.format(name)
            if path.suffix == ".json":
                path.parent.mkdir(exist_ok=True)
                path.write_text(json.dumps(labelme(micrograph.format(name))))
            else:
                save(path, pixels)
        return tmp_path

    return call


def labelme(image):
    shapes = [
        {"label": "void", "shape_type": "polygon", "points": [[5, 4], [12, 4], [9, 9]]},
        {"label": "line", "shape_type": "line", "points": [[1, 1], [20, 15]]},
    ]
    return {
        "version": "5.5.0", "imagePath": image, "imageHeight": 20, "imageWidth": 30,
        "shapes": shapes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("micrograph", "annotation"),
    [
        ("micrographs/{}.tif", "annotations/{}.png"),
        ("images/{}.PNG", "masks/{}.png"),
        ("images/{}.png", "labels/{}_label.tif"),
        ("{}.tif", "masks/{}_mask.png"),
        ("{}.png", "{}_mask.png"),
    ],
)
def test_what_belongs_together_is_found(fill, micrograph, annotation):
    folder = fill(micrograph, annotation)
    form = draft_spec(DraftRequest(folder, ("void",)))
    spec = dataset_spec_of(form, folder / "dataset.toml")
    assert [e.name for e in spec.of_split("train")] == ["a", "b"]
    for example in spec.examples:
        np.testing.assert_array_equal(
            load_example(example, spec.scheme).class_map, MASK
        )


def test_shapes_beside_their_micrographs_name_the_classes(fill):
    folder = fill("{}.png", "{}.json")
    (folder / "notes.json").write_text("[1, 2]")
    form = draft_spec(DraftRequest(folder))
    assert form.sources[0].annotations == "{stem}.json"
    kinds = [(c.name, c.kind) for c in form.classes]
    assert kinds == [("matrix", "matrix"), ("line", "line"), ("void", "region")]


def test_one_file_of_coco_is_for_all(fill):
    folder = fill("images/{}.png", "masks/{}.npy.png", annotated=("x",))
    outline = [5, 4, 12, 4, 12, 9, 5, 9]
    content = {
        "images": [
            {"id": i, "file_name": f"{name}.png", "height": 20, "width": 30}
            for i, name in enumerate("ab")
        ],
        "categories": [{"id": 1, "name": "void"}],
        "annotations": [
            {"id": 1, "image_id": 0, "category_id": 1, "segmentation": [outline]}
        ],
    }
    (folder / "annotations").mkdir()
    (folder / "annotations" / "all.json").write_text(json.dumps(content))
    form = draft_spec(DraftRequest(folder))
    assert form.sources[0].annotations == "annotations/all.json"
    assert form.classes[1].name == "void"


@pytest.mark.parametrize(
    ("pixels", "encoding"),
    [
        (MASK, "class_index"),
        (MASK * 255, "binary"),
        (np.where(MASK > 0, 7, 0).astype(np.uint8), "objects"),
    ],
)
def test_numbers_of_masks_are_seen_from_all(fill, pixels, encoding):
    folder = fill("images/{}.png", "masks/{}.png", pixels=pixels)
    form = draft_spec(DraftRequest(folder, ("void",)))
    assert form.sources[0].encoding == encoding


def test_numbers_from_1_are_no_objects(fill):
    folder = fill("images/{}.png", "masks/{}.png", pixels=MASK + 1)
    with pytest.raises(DatasetError, match="--encoding"):
        draft_spec(DraftRequest(folder, ("void",)))
    form = draft_spec(DraftRequest(folder, ("void",), "class_index_from_1"))
    assert form.sources[0].encoding == "class_index_from_1"


def test_split_is_of_what_is_annotated(fill):
    folder = fill("images/{}.png", "masks/{}.png", names="abcdefg", annotated="abcdef")
    form = draft_spec(DraftRequest(folder, ("void",)))
    assert form.split.unused == ("g",)
    assert sorted((*form.split.train, *form.split.val)) == list("abcdef")
    assert len(form.split.val) == 1
    fill("images/{}.png", "masks/{}.png", names="g")
    form = draft_spec(DraftRequest(folder, ("void",)))
    assert form.split.fractions == (0.8, 0.2, 0.0)


def test_what_cannot_be_told_is_asked_for(fill, tmp_path):
    with pytest.raises(DatasetError, match="none that belong together"):
        draft_spec(DraftRequest(tmp_path))
    folder = fill("images/{}.png", "masks/{}.png")
    with pytest.raises(DatasetError, match="--class void"):
        draft_spec(DraftRequest(folder))


def test_the_mask_that_is_not_like_the_others_is_named(fill):
    root = fill("images/{}.png", "masks/{}.png", names="abc", pixels=255 * MASK)
    blurred = 255 * MASK
    blurred[4] //= 2
    save(root / "masks/b.png", blurred)
    with pytest.raises(DatasetError, match=r"b\.png: must hold two values, 0 and 1"):
        draft_spec(DraftRequest(root, classes=("void",)))


def test_masks_as_jpeg_are_told_as_such(fill):
    root = fill("images/{}.png", "masks/{}.jpg", pixels=255 * MASK)
    with pytest.raises(DatasetError, match="Received: JPEG, which blurs the numbers"):
        draft_spec(DraftRequest(root, classes=("void",)))


PICTURE = np.array([(255, 255, 255), (255, 0, 0), (0, 0, 255)], np.uint8)[MASK * 2]
PICTURE[0, :3] = (255, 0, 0)


@pytest.mark.parametrize("has_black", [False, True])
def test_masks_in_colors_have_a_table(fill, has_black):
    pixels = PICTURE.copy()
    if has_black:
        pixels[19, :20] = 0
    folder = fill("images/{}.png", "masks/{}.png", pixels=pixels)
    form = draft_spec(DraftRequest(folder))
    others = ("#ffffff", "#0000ff", "#ff0000")
    colors = ("#000000", *others) if has_black else others
    assert (form.sources[0].encoding, form.sources[0].colors) == ("colors", colors)
    names = ["matrix", *(f"class_{i}" for i in range(1, len(colors)))]
    assert [c.name for c in form.classes] == names
    counted = color_pixels(form, folder)
    assert list(counted) == list(colors)
    assert (counted["#ff0000"], counted["#0000ff"]) == (6, 2 * MASK.sum())
    spec = dataset_spec_of(form, folder / "dataset.toml")
    class_map = load_example(spec.examples[0], spec.scheme).class_map
    assert (class_map == len(colors) - 1).sum() == 3


def test_colors_and_classes_must_be_as_many(fill):
    folder = fill("images/{}.png", "masks/{}.png", pixels=PICTURE)
    form = draft_spec(DraftRequest(folder, ("void", "crack:line")))
    assert [c.name for c in form.classes] == ["matrix", "void", "crack"]
    with pytest.raises(DatasetError, match=r"3 colors \(#ffffff, #0000ff, #ff0000\)"):
        draft_spec(DraftRequest(folder, ("void",)))


def test_one_color_is_that_of_no_class(fill):
    folder = fill(
        "images/{}.png", "masks/{}.png", pixels=np.full_like(PICTURE, (9, 0, 0))
    )
    with pytest.raises(MicrographError, match=r"two at least.*Received: #090000 alone"):
        draft_spec(DraftRequest(folder))


def test_smooth_edges_have_no_table(fill):
    smooth = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    folder = fill("images/{}.png", "masks/{}.png", pixels=smooth)
    with pytest.raises(MicrographError, match="without smooth edges") as error:
        draft_spec(DraftRequest(folder))
    assert len(str(error.value).splitlines()) == 1


def test_swapped_folders_are_refused_as_such(tmp_path):
    grey = np.random.default_rng(5).integers(1, 60000, MASK.shape).astype(np.uint16)
    for name in "ab":
        save(tmp_path / f"micrographs/{name}.png", MASK)
        save(tmp_path / f"annotations/{name}.png", grey)
    with pytest.raises(DatasetError, match="look swapped"):
        draft_spec(DraftRequest(tmp_path, ("void",)))
