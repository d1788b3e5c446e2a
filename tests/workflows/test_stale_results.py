import numpy as np
import pytest
from PIL import Image

from defectkeras.workflows.annotated import find_fields
from defectkeras.workflows.compare import ComparisonRequest, plan_comparison
from defectkeras.workflows.convert_annotations import (
    ConversionRequest,
    convert_annotations,
)
from defectkeras.workflows.quantify import ClassMapRequest, quantify_into_folder
from defectkeras.workflows.stale_results import stale_results

SHAPE = (30, 44)


def save(path, seed):
    path.parent.mkdir(exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 255, SHAPE, dtype=np.uint8)
    Image.fromarray(values).save(path)
    return path


@pytest.fixture
def measure(tmp_path, no_figures):
    """Give a function that measures a class map on a micrograph."""
    void = np.zeros(SHAPE, np.uint8)
    void[3:9, 4:12] = 1

    def measure(results, name, micrograph=None):
        path = tmp_path / "maps" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(void).save(path)
        request = ClassMapRequest(path, classes=("void",), micrograph_path=micrograph)
        quantify_into_folder(request, tmp_path / results)
        return tmp_path / results

    return measure


def test_results_of_a_file_that_changed_are_told(tmp_path, measure):
    file = save(tmp_path / "fields" / "a.png", seed=1)
    first = measure("first", "a", file)
    request = ComparisonRequest(
        (str(first), str(measure("second", "a"))), micrographs=(file,)
    )
    assert plan_comparison(request).notes == ()

    save(file, seed=2)
    (note,) = plan_comparison(request).notes
    assert note.startswith(f"first: a is a result of another file than {file}")
    (done,) = convert_annotations(
        ConversionRequest(first, tmp_path / "drawn", "labelme", micrographs=(file,))
    )
    assert done.stale is not None
    assert "Analyze it again" in done.stale


def test_results_of_one_file_under_two_names_are_told(tmp_path, measure):
    old = save(tmp_path / "fields" / "old.png", seed=1)
    measure("results", "old", old)
    results = measure("results", "new", old.rename(old.with_stem("new")))

    assert list(stale_results(find_fields(results), {})) == ["old"]
    done = convert_annotations(ConversionRequest(results, tmp_path / "coco", "coco"))
    assert [d.name for d in done if d.stale] == ["old"]


def test_results_of_different_files_of_one_name_are_told(tmp_path, measure):
    file = save(tmp_path / "fields" / "a.png", seed=1)
    first = measure("first", "a", file)
    second = measure("second", "a", save(file, seed=2))

    (note,) = plan_comparison(ComparisonRequest((str(first), str(second)))).notes
    assert note == "a: the results compared are of different files."


def test_a_class_map_alone_tells_no_micrograph(tmp_path, measure):
    file = save(tmp_path / "fields" / "a.png", seed=1)
    assert stale_results(find_fields(measure("results", "a")), {"a": file}) == {}
