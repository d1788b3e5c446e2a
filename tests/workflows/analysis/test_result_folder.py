"""The folder of one micrograph's results, read back."""

import dataclasses
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.reporting.page import write_page
from defectkeras.workflows.analysis.result_folder import (
    held_output,
    is_calibrated_since,
    notes_of_unclaimed,
    read_report,
    require_same_origin,
    result_folders,
)
from defectkeras.workflows.measure import Segmented, measure_into_folder, run_facts

SCHEME = LabelScheme(
    (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "dislocation", "line"),
        DefectClass(2, "void", "region"),
    )
)
RUN = run_facts(model=None, settings={"frame": None, "sizes": (1, 2)})


@pytest.fixture
def written(tmp_path):
    class_map = np.zeros((100, 160), np.int32)
    class_map[48:53, :] = 1
    class_map[5:95:12, 30:42] = 2
    segmented = Segmented(
        micrograph=Micrograph(
            np.full((100, 160), 7, np.float32), Calibration(2.0, 100.0), "field"
        ),
        class_map=class_map,
        scheme=SCHEME,
        sha256="0" * 64,
        file="field.tif",
        warnings=("look twice",),
    )
    return measure_into_folder(segmented, RUN, tmp_path / "field")


@pytest.mark.parametrize(
    ("first", "second"), [(True, False), (False, True), (True,) * 2]
)
def test_who_replaces_results_is_alone_in_their_folder(tmp_path, first, second):
    output = tmp_path / "out"
    with (
        held_output(output, alone=first),
        pytest.raises(DefectKerasError, match=r"out: must have no other run at work"),
        held_output(output, alone=second),
    ):
        pass
    with held_output(output, alone=False), held_output(output, alone=False):
        pass
    assert not list(output.iterdir())


def test_what_is_read_back_makes_the_same_page(written, tmp_path):
    read = read_report(tmp_path / "field")
    assert read.all_warnings == written.all_warnings
    assert read.quantification.quantities == written.quantification.quantities
    for name in ("objects", "lines", "segments", "traces", "distributions"):
        one, other = (getattr(r.quantification, name) for r in (read, written))
        pd.testing.assert_frame_equal(one, other, check_dtype=False)
    pd.testing.assert_frame_equal(
        read.places.curves, written.places.curves, check_dtype=False
    )
    assert list(read.figures) == list(written.figures)
    assert {f"figures/{n}.{k}" for n in read.figures for k in ("svg", "pdf")} == {
        str(p.relative_to(tmp_path / "field"))
        for p in (tmp_path / "field" / "figures").iterdir()
    }
    pages = []
    for number, report in enumerate((read, written)):
        path = tmp_path / f"{number}.html"
        write_page(RUN, [report], path)
        pages.append(path.read_text())
    assert pages[0] == pages[1]
    plain = read_report(tmp_path / "field", with_pictures=False)
    assert (plain.pictures, plain.figures) == (None, {})


def test_results_of_before_files_were_named_are_read(written, tmp_path):
    path = tmp_path / "field" / "summary.json"
    summary = json.loads(path.read_text())
    assert summary.pop("file") == "field.tif"
    path.write_text(json.dumps(summary))
    report = read_report(tmp_path / "field")
    assert report.file is None
    write_page(RUN, [report], tmp_path / "report.html")
    assert "<dt>File</dt>" not in (tmp_path / "report.html").read_text()


def test_a_pixel_size_may_come_after_the_results(written, tmp_path):
    image, text = tmp_path / "field.png", tmp_path / "field.txt"
    summary = tmp_path / "field" / "summary.json"
    assert not is_calibrated_since(tmp_path / "field", image)
    text.write_text("[SemImageFile]\nDataSize=160x100\nPixelSize=2\n")
    assert not is_calibrated_since(tmp_path / "field", image)  # they have one
    summary.write_text(summary.read_text().replace('nm": 2.0', 'nm": null'))
    assert is_calibrated_since(tmp_path / "field", image)


def test_a_damaged_folder_is_told(written, tmp_path):
    (tmp_path / "field" / "lines.parquet").unlink()
    with pytest.raises(DefectKerasError, match=r"lines\.parquet.*--overwrite"):
        read_report(tmp_path / "field")


def test_origin_is_input_model_software_and_settings(written, tmp_path):
    folder = tmp_path / "field"
    require_same_origin(folder, RUN)
    require_same_origin(folder, RUN, sha256="0" * 64)
    software = {"defectkeras": f"{version('defectkeras')}+g0123456789ab.dirty"}
    require_same_origin(folder, dataclasses.replace(RUN, software=software))
    with pytest.raises(
        DefectKerasError, match=r"micrograph was 0000.*Take this folder"
    ):
        require_same_origin(folder, RUN, sha256="1" * 64)
    for change, told in (
        ({"settings": {"frame": 2, "sizes": (1, 2)}}, "frame was not set and is 2"),
        ({"settings": {"frame": None}}, "sizes was 1, 2 and is gone"),
        ({"software": {"defectkeras": "9"}}, "defectkeras was .* and is 9"),
    ):
        with pytest.raises(DefectKerasError, match=told):
            require_same_origin(folder, dataclasses.replace(RUN, **change))


@pytest.mark.parametrize("name", ["overlay.png", "objects.csv", "pictures.json"])
def test_what_is_kept_must_be_whole(written, tmp_path, name):
    (tmp_path / "field" / name).unlink()
    with pytest.raises(DefectKerasError, match=f"no {name}. Take this folder away"):
        require_same_origin(tmp_path / "field", RUN, sha256="0" * 64)


def test_a_summary_without_its_origin_is_none(written, tmp_path):
    (tmp_path / "field" / "summary.json").write_text(json.dumps({"schema": 1}))
    with pytest.raises(
        DefectKerasError, match=r"a folder of results.*Take this folder"
    ):
        require_same_origin(tmp_path / "field", RUN)


def test_another_form_of_summary_is_no_result(written, tmp_path):
    summary = tmp_path / "field" / "summary.json"
    summary.write_text(json.dumps({"schema": 99}))
    with pytest.raises(DefectKerasError, match=r"summary\.json"):
        read_report(tmp_path / "field")


def test_folder_names_differ_whatever_the_files():
    paths = [Path(p) for p in ("a/x.tif", "b/x.tif", "a/x.png", "c/a/x.tif", "y.tif")]
    names = result_folders(paths)
    assert list(names) == paths
    assert len(set(names.values())) == len(paths)
    assert names[paths[2]] == "x.png"
    assert names[paths[4]] == "y"


def test_no_folder_takes_the_place_of_a_file_over_all():
    paths = [Path("report.html.tif"), Path("objects.parquet.png"), Path("a.b.tif")]
    names = result_folders(paths)
    assert list(names.values()) == ["report.html.tif", "objects.parquet.png", "a.b"]


def test_a_copy_from_another_system_has_the_same_folder():
    paths = [Path("a\u0308.tif"), Path("\u00e4.tif")]
    assert list(result_folders(paths[:1]).values()) == ["\u00e4"]
    assert len(set(result_folders(paths).values())) == 2


def test_folder_names_differ_where_joined_paths_do_not():
    paths = [Path("/d/a_b/k/c.tif"), Path("/d/a/b/k/c.tif")]
    assert len(set(result_folders(paths).values())) == 2


def test_results_of_no_micrograph_are_named(tmp_path):
    assert notes_of_unclaimed(tmp_path / "none", ["a"]) == ()
    for name in ("a", "u\u0308", "old", ".8-a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "summary.json").write_text("{}")
    (tmp_path / "notes").mkdir()
    assert notes_of_unclaimed(tmp_path, ["a", "\u00fc", "old"]) == ()
    (note,) = notes_of_unclaimed(tmp_path, ["a", "\u00fc"])
    assert "not in page and tables: old (1)" in note
