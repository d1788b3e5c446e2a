import io
import zipfile

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from defectkeras.core.errors import DefectKerasError
from defectkeras.registry.store import ModelRegistry
from defectkeras.serving.served_models import ServedModels
from defectkeras.serving.status import StatusError
from defectkeras.workflows import serve_upload
from defectkeras.workflows.analyze import analyze
from defectkeras.workflows.serve_upload import (
    Uploads,
    analyze_upload,
    pack,
    plain_file_name,
)

pytestmark = pytest.mark.usefixtures("no_figures")


@pytest.fixture(scope="module")
def models(tiny_registry):
    made = ServedModels(ModelRegistry(tiny_registry))
    made.refresh()
    return made


@pytest.fixture(scope="module")
def micrograph():
    pixels = np.random.default_rng(5).integers(0, 255, (70, 90), dtype=np.uint8)
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def uploads(tmp_path):
    return Uploads(tmp_path)


def test_an_upload_gives_what_analyze_gives(
    models, micrograph, uploads, tiny_registry, tmp_path
):
    query = {"model": "tiny@1", "file_name": "field 1.png", "pixel_size_nm": "0.5"}
    answer = analyze_upload(models, uploads, micrograph, query, max_pixels=10_000)
    _, key, page = answer["report"].split("/")
    folder = uploads.find(key, page).parent
    names = zipfile.ZipFile(io.BytesIO(pack(folder))).namelist()
    assert {"report.html", "quantities.csv", "field 1/objects.csv"} <= set(names)

    file = tmp_path / "field 1.png"
    file.write_bytes(micrograph)
    out = tmp_path / "out"
    analyze([file], "tiny@1", output_folder=out, registry_root=tiny_registry)
    ours, theirs = (f / "field 1" / "class_map.png" for f in (folder, out))
    assert ours.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"model": ""},
        {"model": "tiny"},
        {"model": "tiny@9"},
        {"model": "other@1"},
        {"pixel_size_nm": "-1"},
        {"pixel_size_nm": "nan"},
        {"foil_thickness_nm": "thin"},
        {"frame": "-1"},
        {"frame": "first"},
    ],
)
def test_a_query_that_is_not_sound_is_refused(models, micrograph, uploads, change):
    query = {"model": "tiny@1", "file_name": "a.png", **change}
    with pytest.raises(StatusError):
        analyze_upload(models, uploads, micrograph, query, max_pixels=10_000)


def test_a_file_that_is_no_micrograph_is_told_without_its_place(
    models, uploads, tmp_path
):
    query = {"model": "tiny@1", "file_name": "a.png"}
    with pytest.raises(DefectKerasError, match=r"a\.png") as caught:
        analyze_upload(models, uploads, b"nothing", query, max_pixels=10_000)
    assert str(tmp_path) not in str(caught.value)


def test_a_frame_of_a_stack_is_chosen_by_the_field_of_the_page(models, uploads):
    buffer, query = io.BytesIO(), {"model": "tiny@1", "file_name": "stack.tif"}
    pixels = np.random.default_rng(6).integers(0, 255, (2, 70, 90), dtype=np.uint8)
    tifffile.imwrite(buffer, pixels, photometric="minisblack")
    stack = buffer.getvalue()
    with pytest.raises(StatusError, match='Choose one with "Frame of a stack"'):
        analyze_upload(models, uploads, stack, query, max_pixels=10_000)
    query["frame"] = "1"
    answer = analyze_upload(models, uploads, stack, query, max_pixels=10_000)
    assert answer["report"].endswith("report.html")


@pytest.mark.parametrize("ending", ["PNG", "TIFF"])
def test_a_micrograph_of_too_many_pixels_is_refused_undecoded(
    models, uploads, tmp_path, ending, monkeypatch
):
    buffer = io.BytesIO()
    PillowImage.new("L", (9_000, 7_000)).save(buffer, ending)
    query = {"model": "tiny@1", "file_name": f"a.{ending.lower()}"}
    monkeypatch.setattr(serve_upload, "analyze", None)
    with pytest.raises(StatusError, match="at most 10000 pixels") as caught:
        analyze_upload(models, uploads, buffer.getvalue(), query, max_pixels=10_000)
    assert str(tmp_path) not in str(caught.value)


def test_only_results_are_found(uploads):
    folder = uploads.new_folder()
    (folder / "secret.txt").write_text("x")
    (folder / "results").mkdir()
    (folder / "results" / "report.html").write_text("x")
    (folder / "results" / "link").symlink_to(folder / "secret.txt")
    assert uploads.find(folder.name, "report.html").exists()
    for key, path in (
        (folder.name, "../secret.txt"),
        (folder.name, str(folder / "secret.txt")),
        (folder.name, "link"),
        (folder.name, ""),
        ("..", folder.name),
        ("0" * 32, "report.html"),
    ):
        with pytest.raises(StatusError, match="No such file"):
            uploads.find(key, path)


def test_the_oldest_results_go(uploads, monkeypatch):
    monkeypatch.setattr(serve_upload, "_KEPT", 2)
    folders = [uploads.new_folder() for _ in range(3)]
    assert [f.exists() for f in folders] == [False, True, True]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.tif", "a.tif"),
        ("C:\\data\\b.dm4", "b.dm4"),
        ("/etc/passwd", "passwd"),
        ("..", "micrograph"),
        (".hidden.png", "hidden.png"),
        ('"><img src=x>.png', "___img src_x_.png"),
        ("x" * 300 + ".tif", "x" * 96 + ".tif"),
        pytest.param(
            "\u663e" * 300 + ".tif", "\u663e" * 32 + ".tif", id="3 bytes each"
        ),
        ("a\0b\n.tif", "a_b_.tif"),
        pytest.param("a\u0308.tif", "\u00e4.tif", id="as macOS names it"),
    ],
)
def test_file_names_are_made_plain(name, expected):
    assert plain_file_name(name) == expected
