import csv
import json

import numpy as np
import pytest

from defectkeras.core.errors import TrainingError
from defectkeras.core.strict import from_mapping
from defectkeras.pipelines.augment import Augmentation
from defectkeras.pipelines.store import load_store
from defectkeras.training.checkpoint import CHECKPOINT
from defectkeras.training.config import TrainingConfig
from defectkeras.training.run_folder import (
    BEST_WEIGHTS,
    differences,
    require_same_run,
    save_best_weights,
    start_run_folder,
    write_history,
)


def test_inputs_settings_and_environment_are_kept(
    tmp_path, scheme, draw_example, build_tiny_model
):
    config = TrainingConfig(epochs=3)
    store = load_store([draw_example()], scheme)
    model = build_tiny_model()
    start_run_folder(tmp_path / "run", config, model, {"train": store, "val": store})
    files = {p.stem: json.loads(p.read_text()) for p in (tmp_path / "run").iterdir()}
    assert sorted(files) == ["config", "environment", "inputs"]
    assert from_mapping(TrainingConfig, files["config"], where="config") == config
    assert files["environment"]["precision"] == "float32"
    assert files["environment"]["model"]["parameters"] == model.count_params()
    counts = store.class_counts[0].tolist()
    example = {"name": "field_0", "fingerprints": None, "class_counts": counts}
    assert files["inputs"] == {"train": [example], "val": [example]}


def test_a_run_is_never_overwritten(tmp_path, scheme, draw_example, build_tiny_model):
    stores = {"train": load_store([draw_example()], scheme)}
    for _ in range(2):  # killed before its first checkpoint, it begins anew
        start_run_folder(tmp_path, TrainingConfig(), build_tiny_model(), stores)
    (tmp_path / CHECKPOINT).touch()
    with pytest.raises(TrainingError, match="another folder"):
        start_run_folder(tmp_path, TrainingConfig(), build_tiny_model(), stores)


def test_only_what_changes_no_result_may_differ(
    tmp_path, scheme, draw_example, build_tiny_model
):
    stores = {"train": load_store([draw_example()], scheme)}
    model, config = build_tiny_model(), TrainingConfig(epochs=3)
    start_run_folder(tmp_path, config, model, stores)
    free = TrainingConfig(epochs=3, strategy="mirrored", accumulation_steps=4)
    require_same_run(tmp_path, free, model, stores)
    afterwards = TrainingConfig(epochs=3, tune_thresholds=True)
    require_same_run(tmp_path, afterwards, model, stores)
    other = TrainingConfig(epochs=3, augmentation=Augmentation(gain=0.5))
    told = r"config\.json augmentation\.gain: 0\.2 before, 0\.5 now"
    with pytest.raises(TrainingError, match=told):
        require_same_run(tmp_path, other, model, stores)
    with pytest.raises(TrainingError, match=r"environment\.json model\.parameters"):
        require_same_run(tmp_path, config, build_tiny_model(4), stores)


def test_run_from_before_a_setting_goes_on_with_its_default(
    tmp_path, scheme, draw_example, build_tiny_model
):
    stores = {"train": load_store([draw_example()], scheme)}
    model = build_tiny_model()
    start_run_folder(tmp_path, TrainingConfig(), model, stores)
    older = json.loads((tmp_path / "config.json").read_text())
    del older["ema_momentum"]
    (tmp_path / "config.json").write_text(json.dumps(older))
    require_same_run(tmp_path, TrainingConfig(), model, stores)
    with pytest.raises(TrainingError, match=r"ema_momentum: 0\.0 before, 0\.9 now"):
        require_same_run(tmp_path, TrainingConfig(ema_momentum=0.9), model, stores)


def test_differences_are_told_by_place():
    before = {"a": [1, 2], "b": {"c": None}, "d": [1]}
    now = {"a": [1, 3], "b": {"c": None}, "d": [1, 2], "e": True}
    assert differences(before, now) == [
        "a.1: 2 before, 3 now",
        "d: [1] before, [1, 2] now",
        "e: null before, true now",
    ]
    assert differences({"a": [0.9, 1.1]}, {"a": (0.9, 1.1)}) == []


def test_history_is_csv_with_empty_cells(tmp_path):
    rows = [{"epoch": 1, "val_iou_void": None}, {"epoch": 2, "val_iou_void": 0.5}]
    write_history(rows, tmp_path)
    with (tmp_path / "history.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    assert read == [
        {"epoch": "1", "val_iou_void": ""},
        {"epoch": "2", "val_iou_void": "0.5"},
    ]


def test_weights_come_back(tmp_path, build_tiny_model):
    model = build_tiny_model(seed=1)
    save_best_weights(model, tmp_path)
    other = build_tiny_model(seed=2)
    other.load_weights(tmp_path / BEST_WEIGHTS)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert [p.name for p in tmp_path.iterdir()] == [BEST_WEIGHTS]


def test_full_disk_leaves_the_older_weights(tmp_path, build_tiny_model, full_disk):
    """Keras alone would leave a broken file in their place."""
    model = build_tiny_model(seed=1)
    save_best_weights(model, tmp_path)
    before = (tmp_path / BEST_WEIGHTS).read_bytes()
    other = build_tiny_model(seed=2)
    with full_disk(4096), pytest.raises(OSError, match="File too large"):
        save_best_weights(other, tmp_path)
    assert (tmp_path / BEST_WEIGHTS).read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [BEST_WEIGHTS]
    save_best_weights(other, tmp_path)  # and HDF5 has taken no harm
    assert (tmp_path / BEST_WEIGHTS).read_bytes() != before


def test_space_is_tried_out_for_the_whole_file(tmp_path, build_tiny_model, full_disk):
    """So that HDF5, which may crash after a failed write, never meets the limit."""
    model = build_tiny_model(seed=1)
    save_best_weights(model, tmp_path)
    size = (tmp_path / BEST_WEIGHTS).stat().st_size
    with full_disk(size - 1), pytest.raises(OSError, match="File too large"):
        save_best_weights(model, tmp_path)
