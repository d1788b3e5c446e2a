"""From micrographs to measured defects; a bad file does not stop the rest."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from defectkeras.core.errors import (
    DefectKerasError,
    MicrographError,
    StoppedError,
)
from defectkeras.core.files import sha256_of_file
from defectkeras.core.revision import source_version
from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.registry.store import ModelRegistry
from defectkeras.workflows.analysis.plan import BatchSettings
from defectkeras.workflows.analyze import analyze
from defectkeras.workflows.analyze_settings import AnalyzeSettings

pytestmark = pytest.mark.usefixtures("no_figures")

TABLES = (
    "quantities",
    "lines",
    "objects",
    "orientations",
    "pairs",
    "places",
    "segments",
    "sizes",
    "traces",
)
FILES = {
    "class_map.png",
    "data_dictionary.csv",
    "overlay.png",
    "pictures.json",
    "summary.json",
    *(f"{name}.{kind}" for name in TABLES for kind in ("csv", "parquet")),
}


@pytest.fixture(scope="module")
def micrographs(synthetic_spec) -> list[Path]:
    return [e.micrograph_path for e in load_dataset_spec(synthetic_spec).examples]


def test_every_file_is_written_and_tells_where_it_is_from(
    micrographs, tiny_registry, tmp_path
):
    analysis = analyze(
        micrographs[:2], "tiny", output_folder=tmp_path, registry_root=tiny_registry
    )
    assert analysis.failed == ()
    version = ModelRegistry(tiny_registry).resolve("tiny")
    for path in micrographs[:2]:
        folder = tmp_path / path.stem
        assert {p.name for p in folder.iterdir()} == FILES
        class_map = np.asarray(Image.open(folder / "class_map.png"))
        assert class_map.dtype == np.uint8
        assert class_map.shape == (120, 152)
        assert class_map.max() < 4
        summary = json.loads((folder / "summary.json").read_text())
        assert summary["file"] == path.name
        assert summary["sha256"] == sha256_of_file(path)
        assert summary["model"]["sha256"] == version.sha256
        assert summary["model"]["reference"] == "tiny@1"
        assert summary["calibration"]["pixel_size_nm"] == pytest.approx(1.0, rel=1e-5)
        assert summary["calibration"]["pixel_size_source"] not in ("none", "user")
        assert summary["software"]["defectkeras"] == source_version()
        assert {"tensorflow", "keras"} < set(summary["software"])
        assert all(q["unit"] for q in summary["quantities"])
    quantities = pd.read_csv(tmp_path / "quantities.csv")
    assert set(quantities["micrograph"]) == {p.stem for p in micrographs[:2]}
    assert "sigma_counting" in quantities
    fields = pd.read_csv(tmp_path / "fields.csv")
    assert (fields["fields"] == 2).all()
    assert len(fields) > 0
    assert "aic" in pd.read_csv(tmp_path / "fits.csv")
    for path in tmp_path.rglob("data_dictionary.csv"):
        told = pd.read_csv(path, keep_default_na=False)
        assert set(told.loc[told["meaning"] == "", "column"]) == set()
    workbook = pd.read_excel(tmp_path / "tables.xlsx", sheet_name=None)
    sheets = ["quantities", "fields", "fits", "objects", "lines", "data_dictionary"]
    assert list(workbook) == sheets
    for name, sheet in workbook.items():
        table = pd.read_csv(tmp_path / f"{name}.csv")
        pd.testing.assert_frame_equal(sheet, table, check_dtype=False, rtol=1e-5)
    page = (tmp_path / "report.html").read_text()
    assert 'href="tables.xlsx"' in page
    assert version.sha256 in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_what_the_user_says_wins_over_the_file(micrographs, tiny_registry, tmp_path):
    settings = AnalyzeSettings(pixel_size_nm=2.0, foil_thickness_nm=55.0)
    analysis = analyze(
        micrographs[:1],
        "tiny",
        output_folder=tmp_path,
        settings=settings,
        registry_root=tiny_registry,
    )
    calibration = analysis.reports[0].quantification.calibration
    assert calibration.pixel_size_nm == 2.0
    assert calibration.pixel_size_source == "user"
    assert calibration.foil_thickness_nm == 55.0
    assert "outside" in analysis.reports[0].warnings[0]


def test_a_bad_file_is_told_and_the_rest_goes_on(micrographs, tiny_registry, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a_broken.tif").write_bytes(micrographs[0].read_bytes()[:400])
    (folder / "b_good.tif").write_bytes(micrographs[0].read_bytes())
    analysis = analyze(
        [folder], "tiny", output_folder=tmp_path / "out", registry_root=tiny_registry
    )
    assert [r.name for r in analysis.reports] == ["b_good"]
    assert analysis.failed[0].name == str(folder / "a_broken.tif")
    assert "a_broken.tif" not in analysis.failed[0].reason
    assert not (tmp_path / "out" / "a_broken").exists()
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("a_broken.tif") == 1


def test_failures_can_be_read_by_people_and_programs(
    micrographs, tiny_registry, tmp_path
):
    good = micrographs[0].read_bytes()
    names = ("Glühprobe 5 µm.tif", "no text \udcff.tif", "good.tif")
    files = [tmp_path / name for name in names]
    for file, content in zip(files, (b"no", good, good), strict=True):
        file.write_bytes(content)
    output = tmp_path / "out"
    analyze(files, "tiny", output_folder=output, registry_root=tiny_registry)
    lines = (output / "failures.jsonl").read_text(encoding="utf-8").splitlines()
    assert "Glühprobe 5 µm.tif" in lines[0]
    assert [json.loads(line)["path"] for line in lines] == [str(f) for f in files[:2]]
    assert "Rename the micrograph" in lines[1]


def test_files_of_one_stem_stay_apart_in_the_tables(
    micrographs, tiny_registry, tmp_path
):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("field.tif", "field.tiff"):
        (folder / name).write_bytes(micrographs[0].read_bytes())
    analysis = analyze(
        [folder], "tiny", output_folder=tmp_path / "out", registry_root=tiny_registry
    )
    assert [r.name for r in analysis.reports] == ["field.tif", "field.tiff"]
    assert set(analysis.quantities()["micrograph"]) == {"field.tif", "field.tiff"}


def test_same_results_are_kept_and_others_refused(micrographs, tiny_registry, tmp_path):
    def again(foil_thickness_nm=None, **batch):
        return analyze(
            micrographs[:1],
            "tiny",
            output_folder=tmp_path,
            settings=AnalyzeSettings(foil_thickness_nm=foil_thickness_nm),
            registry_root=tiny_registry,
            batch=BatchSettings(**batch),
        )

    assert again().kept == 0
    marker = tmp_path / micrographs[0].stem / "note.txt"
    marker.write_text("mine")
    assert again().kept == 1
    was = "foil_thickness_nm was not set and is 80.0.*--overwrite"
    with pytest.raises(DefectKerasError, match=was):
        again(foil_thickness_nm=80.0)
    assert marker.exists()
    again(foil_thickness_nm=80.0, overwrite=True)
    assert {p.name for p in marker.parent.iterdir()} == FILES


def test_a_changed_micrograph_is_not_taken_for_the_old_one(
    micrographs, tiny_registry, tmp_path
):
    path = tmp_path / "field.tif"
    for micrograph in micrographs[:2]:
        path.write_bytes(micrograph.read_bytes())
        analysis = analyze(
            [path], "tiny", output_folder=tmp_path / "out", registry_root=tiny_registry
        )
    assert "micrograph was" in analysis.failed[0].reason
    assert analysis.reports == ()


def final_tables(folder: Path) -> dict[str, bytes]:
    """Give what must not depend on how the work was done."""
    kinds = ("csv", "parquet", "xlsx", "jsonl")
    names = [path for kind in kinds for path in folder.glob(f"*.{kind}")]
    assert len(names) == 13
    return {path.name: path.read_bytes() for path in sorted(names)}


def test_shards_and_an_interruption_give_the_tables_of_one_run(
    micrographs, tiny_registry, tmp_path
):
    bad = tmp_path / "a_bad.tif"
    bad.write_bytes(b"no micrograph")
    files = [bad, *micrographs[:2]]

    def go(name, seen=None, **batch):
        return analyze(
            files,
            "tiny",
            output_folder=tmp_path / name,
            registry_root=tiny_registry,
            batch=BatchSettings(**batch),
            on_progress=seen,
        )

    def stop(done, _total):
        if done == 2:
            raise KeyboardInterrupt

    go("whole")
    shards = [go("shards", shard=(i, 2)) for i in (2, 1)]
    assert [len(shard.reports) for shard in shards] == [1, 1]
    assert shards[0].page is None
    assert not (tmp_path / "shards" / "quantities.csv").exists()
    assert not (tmp_path / "shards" / "tables.xlsx").exists()
    failures = tmp_path / "shards" / "failures-1-of-2.jsonl"
    assert json.loads(failures.read_text())["path"] == str(bad)
    failures.unlink()
    (tmp_path / "shards" / "failures-2-of-2.jsonl").unlink()
    assert go("shards").kept == 2
    with pytest.raises(StoppedError, match=r"after 2 of 3 .* the same command again t"):
        go("stopped", stop)
    assert go("stopped").kept == 1
    whole = final_tables(tmp_path / "whole")
    assert final_tables(tmp_path / "shards") == whole
    assert final_tables(tmp_path / "stopped") == whole
    objects = pd.read_parquet(tmp_path / "whole" / "objects.parquet")
    one = pd.read_parquet(tmp_path / "whole" / micrographs[1].stem / "objects.parquet")
    own = objects[objects["micrograph"] == micrographs[1].stem]
    pd.testing.assert_frame_equal(
        own.drop(columns="micrograph").reset_index(drop=True), one, check_dtype=False
    )


def test_fail_fast_stops_at_the_first_bad_file(micrographs, tiny_registry, tmp_path):
    bad = tmp_path / "bad.tif"
    bad.write_bytes(b"no micrograph")
    analysis = analyze(
        [bad, micrographs[0]],
        "tiny",
        output_folder=tmp_path / "out",
        registry_root=tiny_registry,
        batch=BatchSettings(fail_fast=True),
    )
    assert len(analysis.failed) == analysis.untried == 1
    assert analysis.reports == ()


def test_no_micrograph_is_an_error(tiny_registry, tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(MicrographError):
        analyze(
            [tmp_path / "in"],
            "tiny",
            output_folder=tmp_path / "out",
            registry_root=tiny_registry,
        )
    assert not (tmp_path / "out").exists()
