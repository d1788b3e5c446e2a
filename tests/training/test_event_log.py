"""The event files, read back as TensorBoard reads them."""

import os

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tensorflow import io, make_ndarray

from defectkeras.metrics import score_counts
from defectkeras.training.config import TrainingConfig
from defectkeras.training.event_log import EventLog, choose_fields
from defectkeras.training.log_budget import (
    MAX_LOG_BYTES,
    PANEL_SIZE_PX,
    PICTURE_EPOCHS,
    PLOT_SIZE_PX,
    SHOWN_FIELDS,
    largest_log_bytes,
)
from defectkeras.training.validation import Validation, compile_forward

PICTURES = {
    "plots/confusion": PLOT_SIZE_PX,
    "plots/calibration": PLOT_SIZE_PX,
    "plots/sizes": PLOT_SIZE_PX,
    "fields/1 field_2": PANEL_SIZE_PX,
    "fields/2 field_3": PANEL_SIZE_PX,
    "fields/3 field_4": PANEL_SIZE_PX,
}


def read(logs):
    everything = {"tensors": 0, "graph": 1}
    events = EventAccumulator(str(logs), size_guidance=everything)
    events.Reload()
    return events


def values(events, tag):
    return [(e.step, make_ndarray(e.tensor_proto)) for e in events.Tensors(tag)]


@pytest.fixture(scope="module")
def events(logged_run):
    return read(logged_run.run_folder / "logs")


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("loss", "loss"),
        ("learning_rate", "learning_rate"),
        ("gradient_norm", "gradient_norm"),
        ("val_mean_defect_iou", "val_mean_defect_iou"),
        *((f"val_{s}/void", f"val_{s}_void") for s in ("iou", "f1")),
        *((f"val_{s}/dislocation", f"val_{s}_dislocation") for s in ("iou", "recall")),
        ("val_precision/matrix", "val_precision_matrix"),
    ],
)
def test_curves_are_the_history_though_the_run_was_killed(
    logged_run, events, tag, name
):
    rows = [(row["epoch"], row[name]) for row in logged_run.history]
    expected = [(epoch, value) for epoch, value in rows if value is not None]
    found = values(events, tag)
    assert [step for step, _ in found] == [epoch for epoch, _ in expected]
    np.testing.assert_allclose(
        [float(value) for _, value in found],
        [value for _, value in expected],
        rtol=1e-6,
    )


def test_best_score_is_the_last_value_that_hparams_shows(logged_run, events):
    step, best = values(events, "best_mean_defect_iou")[-1]
    assert (step, float(best)) == (3, pytest.approx(logged_run.best_score))
    content = events.PluginTagToContent("hparams")["_hparams_/session_start_info"]
    info = HParamsPluginData.FromString(content).session_start_info
    assert info.hparams["batch_size"].number_value == 2
    assert info.hparams["augmentation.noise"].number_value == 0.04
    assert info.hparams["loss"].string_value == "ce"
    assert info.hparams["model"].string_value == "tiny"


def test_pictures_of_each_epoch(events):
    images = events.summary_metadata
    images = {t for t, m in images.items() if m.plugin_data.plugin_name == "images"}
    assert images == set(PICTURES)
    for tag, size in PICTURES.items():
        found = values(events, tag)
        assert [step for step, _ in found] == [1, 2, 3]
        width, height, png = found[-1][1]
        assert (int(height), int(width)) == size
        picture = io.decode_png(png).numpy()
        assert picture.shape == (*size, 3)
        assert picture.std() > 10  # something is drawn


def test_precision_recall_curves(events):
    for name in ("void", "dislocation"):
        found = values(events, f"{name}/pr_curves")
        assert [step for step, _ in found] == [1, 2, 3]
        curve = found[-1][1]
        assert curve.shape == (6, 101)
        assert (np.diff(curve[5]) <= 0).all()
        np.testing.assert_array_equal(curve[:4].sum(axis=0), curve[:4, 0].sum())


def test_graph_histograms_and_profile(logged_run, events):
    assert any("logits" in node.name for node in events.Graph().node)
    found = values(events, "logits/kernel")
    assert [step for step, _ in found] == [1, 2, 3]
    weights = (3 * 3) * (8 + 1) * 3  # of the kernel
    assert all(buckets[:, 2].sum() == weights for _, buckets in found)
    assert list((logged_run.run_folder / "logs").rglob("*.xplane.pb"))


def test_size_of_a_run_keeps_the_budget(logged_run, events):
    files = (logged_run.run_folder / "logs").glob("events*")
    size = sum(path.stat().st_size for path in files)
    facts = {"num_classes": 3, "num_histograms": 6}
    written = 4  # three epochs, one of them twice
    assert size < largest_log_bytes(written, written, **facts)
    assert size / written * PICTURE_EPOCHS < MAX_LOG_BYTES / 4


def test_what_a_killed_process_wrote_is_taken_out(scheme, build_tiny_model, tmp_path):
    """Also where the epoch comes out otherwise, as it may on a GPU."""
    counts = np.array([[80, 5, 0], [4, 11, 0], [0, 0, 0]])
    validation = Validation(counts, score_counts(counts))
    model, config = build_tiny_model(), TrainingConfig(epochs=4)
    forward = compile_forward(model)

    def write(epochs, epochs_done, loss):
        log = EventLog(tmp_path, scheme, config, model, epochs_done=epochs_done)
        for epoch in epochs:
            row = {"epoch": epoch, "loss": loss, "val_mean_defect_iou": None}
            log.write([row], validation, forward)

    write([1], 0, 9.0)  # killed in the first epoch, before any checkpoint
    write([1, 2, 3], 0, 5.0)
    (file,) = (f for f in (tmp_path / "logs").iterdir() if f.stat().st_size > 500)
    os.truncate(file, file.stat().st_size - 7)  # the last event is cut short
    write([3, 4], 2, 7.0)
    found = [(step, float(v)) for step, v in values(read(tmp_path / "logs"), "loss")]
    found.sort()  # files of one second are read by their number as text, 10 before 9
    assert found == [(1, 5.0), (2, 5.0), (3, 7.0), (4, 7.0)]


def test_fields_are_those_with_most_defects():
    counts = np.array([[9, 0, 1], [2, 0, 0], [7, 3, 1], [8, 0, 3], [1, 0, 4]])
    assert choose_fields(counts) == (2, 4, 3)
    assert len(choose_fields(counts)) == SHOWN_FIELDS
    assert choose_fields(counts[:2]) == (0, 1)
