"""Analyzing from the command line."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.registry.store import ModelRegistry

pytestmark = pytest.mark.usefixtures("no_figures")


@pytest.fixture
def folder(synthetic_spec):
    return load_dataset_spec(synthetic_spec).root / "micrographs"


def test_folder_in_results_out(run, folder, tiny_registry, tmp_path):
    words = ("analyze", folder, "--model", "tiny", "--registry", tiny_registry)
    done = run(*words, "--out", tmp_path / "out", "--json", "--min-area-px", 9)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert len(told["micrographs"]) == 4
    assert told["failed"] == []
    assert (tmp_path / "out" / "report.html").exists()
    again = run(*words, "--out", tmp_path / "out", "--min-area-px", 9)
    assert again.exit_code == 0, again.output
    assert "Kept the same results of 4" in again.stderr
    other = run(*words, "--out", tmp_path / "out")
    assert other.exit_code == 1
    assert "segment.min_area_px was 9 and is 0" in other.stderr
    assert "--overwrite" in other.stderr


def test_results_of_a_renamed_file_are_told(run, folder, tiny_registry, tmp_path):
    first, second = sorted(folder.glob("*.tif"))[:2]
    words = ("--model", "tiny", "--registry", tiny_registry, "--out", tmp_path / "out")
    alone = run("analyze", first, second, *words)
    assert "other micrographs" not in alone.stderr
    renamed = tmp_path / "renamed.tif"
    renamed.write_bytes(second.read_bytes())
    dry = run("analyze", first, renamed, *words, "--dry-run", "--json")
    done = run("analyze", first, renamed, *words, "--json")
    told = f"not in page and tables: {second.stem} (1)."
    assert told in " ".join(dry.stderr.split())
    assert told in json.loads(dry.stdout)["notes"][0]
    assert told in " ".join(done.stderr.split())
    (note,) = json.loads(done.stdout)["notes"]
    assert told in note
    assert told in (tmp_path / "out" / "report.html").read_text()
    assert (tmp_path / "out" / second.stem / "summary.json").exists()


def test_bad_file_sets_the_status_and_numbers_are_shown(
    run, folder, tiny_registry, tmp_path
):
    bad = tmp_path / "bad.tif"
    bad.write_bytes(b"no micrograph")
    good = sorted(folder.glob("*.tif"))[0]
    words = ("analyze", bad, good, "--model", "tiny", "--registry", tiny_registry)
    done = run(*words, "--out", tmp_path / "out", "--foil-thickness-nm", 80)
    assert done.exit_code == 1
    assert f"failed: {bad}: must be" in done.stderr
    assert done.stderr.count(str(bad)) == 1
    assert "1 micrograph, 1 failed" in done.stderr
    assert "Dislocation density" in done.stdout


def test_dry_run_lists_and_writes_nothing(run, folder, tiny_registry, tmp_path):
    words = ("analyze", folder, "--model", "tiny", "--registry", tiny_registry)
    done = run(*words, "--out", tmp_path / "out", "--dry-run")
    assert done.exit_code == 0, done.output
    assert len(done.stdout.splitlines()) == 4
    done = run(*words, "--out", tmp_path / "out", "--dry-run", "--json")
    plan = json.loads(done.stdout)
    assert plan["model"] == "tiny@1"
    assert len(plan["folders"]) == 4
    assert not (tmp_path / "out").exists()
    (tmp_path / "out" / next(iter(folder.glob("*.tif"))).stem).mkdir(parents=True)
    done = run(*words, "--out", tmp_path / "out", "--dry-run")
    assert done.exit_code == 1
    assert "--overwrite" in done.stderr


def test_unknown_model_gets_the_nearest(run, folder, tiny_registry, tmp_path):
    words = ("analyze", folder, "--model", "tinny", "--registry", tiny_registry)
    done = run(*words, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "Did you mean 'tiny'?" in done.stderr


def test_a_shard_does_its_part_and_says_what_comes_next(
    run, folder, tiny_registry, tmp_path
):
    words = ("analyze", folder, "--model", "tiny", "--registry", tiny_registry)
    words += ("--out", tmp_path / "out", "--dry-run", "--shard")
    done = run(*words, "2/3")
    assert len(done.stdout.splitlines()) == 1
    assert run(*words, "4/3").exit_code == 1
    assert run(*words, "one").exit_code == 2
    assert run(*words[:-2], "--workers", 0).exit_code == 2


@pytest.fixture
def spread_registry(request, tiny_registry, tmp_path):
    """An untrained network: with dropout that stays on, or an ensemble."""
    from defectkeras.models.build import build_model
    from defectkeras.models.ensemble import build_ensemble

    def build(architecture, **arguments):
        return build_model(architecture, num_classes=4, filters=4, **arguments)

    if request.param == "dropout":
        model = build("segnet_basic", bayesian=True)
    else:
        model = build_ensemble([build("unet") for _ in range(2)])
    card = ModelRegistry(tiny_registry).resolve("tiny").card
    card = dataclasses.replace(card, name="varied", stride=16)
    image = np.random.default_rng(0).random((96, 128), np.float32)
    registry = ModelRegistry(tmp_path / "registry")
    registry.publish("varied", model, card, golden_image=image)
    return registry.root


def quantities_of(run, *words):
    done = run("analyze", *words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)["micrographs"][0]["quantities"]


@pytest.mark.slow
def test_the_spread_of_the_views_is_in_the_bars(run, folder, tiny_registry, tmp_path):
    field = sorted(folder.glob("*.tif"))[0]
    words = (field, "--model", "tiny", "--registry", tiny_registry)
    for name, options in {"plain": (), "views": ("--augment",)}.items():
        found = quantities_of(run, *words, "--out", tmp_path / name, *options)
        assert any("model" in q["parts"] for q in found) == (name == "views")
        columns = pd.read_parquet(tmp_path / name / "objects.parquet").columns
        assert ("uncertainty" in columns) == (name == "views")
    done = run("analyze", *words, "--out", tmp_path / "x", "--spread", "dropout")
    assert done.exit_code == 1
    assert "must have dropout that can stay on" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spread_registry", "spread"),
    [("dropout", "dropout"), ("ensemble", "members")],
    indirect=["spread_registry"],
)
def test_the_spread_of_variants_is_in_the_bars(
    run, folder, spread_registry, tmp_path, spread
):
    field = sorted(folder.glob("*.tif"))[0]
    words = (field, "--model", "varied", "--registry", spread_registry)
    found = quantities_of(run, *words, "--out", tmp_path / "o", "--spread", spread)
    assert any("model" in q["parts"] for q in found)
