"""A montage in bands against the same micrograph as a whole."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tifffile

from defectkeras.core.errors import DefectKerasError
from defectkeras.core.files import sha256_of_path
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.micrographs import montage as montage_module
from defectkeras.micrographs.read import read_micrograph
from defectkeras.prediction.applicability import (
    describe_image,
    describe_probabilities,
    fit_reference,
)
from defectkeras.quantification.settings import QuantifySettings
from defectkeras.workflows.analysis.file import segment_file
from defectkeras.workflows.analysis.montage import (
    LARGEST_SPECK_PX,
    montage_into_folder,
)
from defectkeras.workflows.analyze import analyze
from defectkeras.workflows.analyze_settings import AnalyzeSettings
from defectkeras.workflows.measure import measure_into_folder, run_facts
from defectkeras.workflows.method import MethodChoice
from defectkeras.workflows.segment import Segmenter, SegmentSettings

pytestmark = pytest.mark.usefixtures("no_figures")

TABLES = ("objects", "lines", "segments", "traces", "sizes", "places")


SCHEME = LabelScheme(
    (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "dislocation", "line"),
        DefectClass(2, "void", "region"),
    )
)
SHAPE = (170, 152)


def grey_is_class(tiles):
    """A model in NumPy: bright is void, dark is dislocation, by the mean of 3 x 3."""
    padded = np.pad(tiles[..., 0], ((0, 0), (1, 1), (1, 1)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    mean = windows.mean(axis=(-1, -2), dtype=np.float32)
    scores = np.stack([0.5 - np.abs(mean - 0.5), 0.7 - mean, mean - 0.3], axis=-1)
    weights = np.exp(12 * scores)
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)


def references():
    """What the training micrographs of the model would be: noise."""
    rng = np.random.default_rng(2)
    described = []
    for _ in range(3):
        image = rng.random((150, 260), dtype=np.float32)
        described.append(
            {
                **describe_image(image),
                **describe_probabilities(
                    grey_is_class(image[np.newaxis, ..., np.newaxis])[0]
                ),
            }
        )
    return {
        kind: dataclasses.asdict(fit_reference([d[kind] for d in described]))
        for kind in described[0]
    }


@pytest.fixture(scope="module")
def segmenter():
    card = SimpleNamespace(
        scheme=SCHEME,
        receptive_field_px=3,
        stride=2,
        pixel_size_range_nm=(0.5, 2.0),
        threshold_values=lambda: None,
        augment=False,
        views=lambda augment: "square" if augment else "none",
        applicability=references(),
        name="drawn",
    )
    return Segmenter(SimpleNamespace(card=card), grey_is_class)


@pytest.fixture(scope="module")
def tiled(tmp_path_factory):
    """A tiled, compressed BigTIFF with defects, a pixel size and no square."""
    rng = np.random.default_rng(5)
    y, x = np.ogrid[: SHAPE[0], : SHAPE[1]]
    grey = np.full(SHAPE, 100.0)
    for _ in range(14):
        row, column = rng.uniform(size=2) * SHAPE
        grey[np.hypot(y - row, x - column) < rng.uniform(1, 14)] = 180
    for angle in (0.3, 1.2, 2.6):
        away = (y - 80) * np.cos(angle) + (x - 70) * np.sin(angle)
        grey[np.abs(away) < 2.5] = 20
    grey += rng.normal(0, 6, SHAPE)
    path = tmp_path_factory.mktemp("montage") / "montage.tif"
    tifffile.imwrite(
        path,
        grey.clip(0, 255).astype(np.uint8),
        tile=(64, 64),
        compression="zlib",
        bigtiff=True,
        photometric="minisblack",
        resolution=(1e7, 1e7),
        resolutionunit="CENTIMETER",
    )
    return path


def both(path, segmenter, folder, **options):
    """Analyze a file as a whole and in bands of 13 rows."""
    settings = AnalyzeSettings(SegmentSettings(tile_size=56, **options))
    run = run_facts(model=None, settings={})
    segmented = segment_file(path, segmenter, settings, name="whole")
    whole = measure_into_folder(segmented, run, folder / "whole")
    bands = montage_into_folder(
        path,
        segmenter,
        settings,
        run,
        folder / "bands",
        band_px=13 * SHAPE[1],
    )
    return whole, bands


@pytest.mark.parametrize("options", [{}, {"augment": True, "min_area_px": 20}], ids=str)
def test_the_tables_are_those_of_the_whole(tiled, segmenter, tmp_path, options):
    whole, bands = both(tiled, segmenter, tmp_path, **options)
    assert len(whole.quantification.objects) > 0
    for table in TABLES:
        found, wanted = (
            pd.read_parquet(tmp_path / name / f"{table}.parquet")
            for name in ("bands", "whole")
        )
        pd.testing.assert_frame_equal(found, wanted, rtol=1e-9, obj=table)
    assert bands.quantification.quantities == whole.quantification.quantities
    assert bands.applicability == whole.applicability
    assert bands.applicability["score"] > 1
    assert any("Unlike the training micrographs" in w for w in bands.warnings)
    assert bands.quantification.calibration == whole.quantification.calibration
    png = tmp_path / "whole" / "class_map.png"
    class_map = tifffile.imread(tmp_path / "bands" / "class_map.tif")
    np.testing.assert_array_equal(class_map, read_micrograph(png).pixels)
    files = {p.name for p in (tmp_path / "bands").iterdir()}
    assert "scratch" not in files
    assert {"overlay.png", "summary.json", "pictures.json"} <= files
    summary = json.loads((tmp_path / "bands" / "summary.json").read_text())
    assert summary["files"]["class_map.tif"] == "bands/class_map.tif"
    assert summary["file"] == tiled.name


@pytest.mark.slow
def test_analyze_takes_this_path_by_itself_and_goes_on(
    tiled, tiny_registry, tmp_path, monkeypatch
):
    damaged = tmp_path / "damaged.tif"
    damaged.write_bytes(tiled.read_bytes()[:-2000])  # the header is whole
    out = tmp_path / "out"

    def run():
        return analyze(
            [damaged, tiled], "tiny", output_folder=out, registry_root=tiny_registry
        )

    monkeypatch.setattr(montage_module, "LARGEST_WHOLE_PX", 1000)
    first = run()
    assert [f.name for f in first.failed] == [str(damaged)]
    assert (out / "montage" / "class_map.tif").exists()
    before = (out / "objects.parquet").read_bytes()
    assert run().kept == 1
    assert (out / "objects.parquet").read_bytes() == before


def test_a_method_takes_it_whole_or_says_what_memory_that_takes(
    tiled, tmp_path, monkeypatch
):
    monkeypatch.setattr(montage_module, "LARGEST_WHOLE_PX", 1000)
    monkeypatch.setattr(montage_module, "WHOLE_BYTES_PER_PX", 2**50)
    found = analyze([tiled], MethodChoice("otsu"), output_folder=tmp_path / "out")
    (failed,) = found.failed
    assert "must fit into memory" in failed.reason


def test_ome_zarr_is_a_montage_too(tiled, segmenter, tmp_path, monkeypatch):
    zarr = pytest.importorskip("zarr", reason="extra `montages` is not installed")
    monkeypatch.setattr(montage_module, "LARGEST_WHOLE_PX", 1000)
    folder = tmp_path / "field.zarr"
    zarr.save_array(folder, read_micrograph(tiled).pixels)
    run = run_facts(model=None, settings={})
    settings = AnalyzeSettings(SegmentSettings(tile_size=56), pixel_size_nm=1.0)
    found, wanted = (
        montage_into_folder(path, segmenter, settings, run, tmp_path / path.suffix[1:])
        for path in (folder, tiled)
    )
    assert found.quantification.quantities == wanted.quantification.quantities
    assert found.sha256 == sha256_of_path(folder) != wanted.sha256


def test_what_needs_the_whole_is_told(tiled, segmenter, tmp_path):
    run = run_facts(model=None, settings={})
    idle = dataclasses.replace(segmenter, predict_fn=None)  # told before it is asked
    specks = SegmentSettings(min_area_px=LARGEST_SPECK_PX + 1)
    for settings, match in (
        (AnalyzeSettings(SegmentSettings(rescale=True)), "--rescale"),
        (AnalyzeSettings(specks), "--min-area-px"),
        (AnalyzeSettings(quantify=QuantifySettings(split="distance")), "--split"),
    ):
        with pytest.raises(DefectKerasError, match=match):
            montage_into_folder(tiled, idle, settings, run, tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
def test_memory_stays_that_of_some_rows():
    """16 megapixels, whose maps as a whole would take more than a gigabyte."""
    script = Path(__file__).parents[3] / "benchmarks" / "montage.py"
    done = subprocess.run(
        [sys.executable, script, "0.016"], check=True, capture_output=True, text=True
    )
    told = re.search(r"4096 x 4096 px: .* ([0-9.]+) GB; (\d+) objects", done.stdout)
    assert told is not None, done.stdout
    assert float(told[1]) < 0.9
    assert int(told[2]) > 2000
