"""The log of a run for TensorBoard: curves, pictures, graph and settings.

Where a run goes on, its log goes on too: what was written of an epoch that is now
done again is taken out, so that no step counts twice.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.hparams import api as hparams
from tensorboard.plugins.pr_curve.summary import raw_data_pb

from defectkeras.core.files import whole_file
from defectkeras.core.labels import LabelScheme
from defectkeras.core.strict import leaves
from defectkeras.training.config import TrainingConfig
from defectkeras.training.details import Details, precision_recall
from defectkeras.training.log_budget import (
    CURVE_BINS,
    SHOWN_FIELDS,
    count_picture_epochs,
    gets_pictures,
)
from defectkeras.training.panel import draw_panel
from defectkeras.training.plots import draw_calibration, draw_confusion, draw_sizes
from defectkeras.training.run_folder import LOGS
from defectkeras.training.validation import Forward, Validation


class EventLog:
    """Write what happens, within the budget of `log_budget`.

    Args:
        run_folder: The log goes to its folder "logs".
        scheme: The K classes.
        config: The settings.
        model: With one output, the main head.
        epochs_done: By earlier processes; what the log holds beyond is taken out.
    """

    def __init__(
        self,
        run_folder: Path,
        scheme: LabelScheme,
        config: TrainingConfig,
        model: keras.Model,
        *,
        epochs_done: int = 0,
    ) -> None:
        self.run_folder, self.scheme = run_folder, scheme
        self.config, self.model = config, model
        weights = model.trainable_variables if config.histograms else []
        self.picture_epochs = count_picture_epochs(
            config.epochs,
            num_classes=scheme.num_classes,
            num_histograms=len(weights),
        )
        logs = run_folder / LOGS
        drop_later_epochs(logs, epochs_done)
        self.writer = tf.summary.create_file_writer(str(logs))
        if not epochs_done:
            self._write_settings()

    def wants_pictures(self, epoch: int) -> bool:
        """Tell whether an epoch, from 1, gets pictures."""
        return gets_pictures(epoch, self.config.epochs, self.picture_epochs)

    def write(
        self,
        rows: Sequence[Mapping[str, Any]],
        validation: Validation,
        forward: Forward,
    ) -> None:
        """Write the scalars of an epoch, and its pictures where it has details.

        Args:
            rows: The history, this epoch last. Of its scalars the HParams table
                shows the last values, and so the best score.
            validation: Of this epoch.
            forward: That it was made by; its graph is written in the first epoch.
        """
        row = rows[-1]
        best = max(r["val_mean_defect_iou"] or 0.0 for r in rows)
        with self.writer.as_default(step=row["epoch"]):
            for key, value in row.items():
                if key not in ("epoch", "seconds") and value is not None:
                    tf.summary.scalar(_tag(key), value)
            tf.summary.scalar("best_mean_defect_iou", best)
            if row["epoch"] == 1:
                tf.summary.graph(forward.get_concrete_function().graph)  # type: ignore[attr-defined]
            if validation.details:
                _write_picture(
                    "plots/confusion", draw_confusion(validation.counts, self.scheme)
                )
                self._write_details(validation.details)
                if self.config.histograms:
                    for variable in self.model.trainable_variables:
                        tf.summary.histogram(variable.path, variable.value)
        self.writer.flush()

    def _write_settings(self) -> None:
        settings = {  # HParams takes numbers, truth values and text
            key: value if isinstance(value, bool | int | float | str) else str(value)
            for key, value in leaves(dataclasses.asdict(self.config))
        }
        settings["model"] = self.model.name
        settings["parameters"] = self.model.count_params()
        name = f"{self.run_folder.parent.name}/{self.run_folder.name}"
        with self.writer.as_default(step=0):
            hparams.hparams(settings, trial_id=name)
        self.writer.flush()

    def _write_details(self, details: Details) -> None:
        for defect in self.scheme.defects:
            curve = precision_recall(details.reliability[defect.index])
            summary = raw_data_pb(defect.name, *curve, num_thresholds=CURVE_BINS + 1)
            tf.summary.experimental.write_raw_pb(summary.SerializeToString())
        calibration = draw_calibration(details.reliability, self.scheme)
        _write_picture("plots/calibration", calibration)
        sizes = draw_sizes(details.annotated_px, details.predicted_px, self.scheme)
        _write_picture("plots/sizes", sizes)
        for number, field in enumerate(details.fields, start=1):
            panel = draw_panel(field, self.scheme)
            _write_picture(f"fields/{number} {field.name}", panel)


def choose_fields(class_counts: NDArray[np.int64]) -> tuple[int, ...]:
    """Choose the micrographs that the log shows: those with the most defect pixels.

    Args:
        class_counts: (N, K) annotated pixels of each micrograph.

    Returns:
        At most `SHOWN_FIELDS` indices, the same ones in every epoch.

    Example:
        >>> choose_fields(np.array([[9, 1], [2, 0], [7, 3], [8, 3], [3, 2]]))
        (2, 3, 4)
    """
    order = np.argsort(-class_counts[:, 1:].sum(axis=1), kind="stable")
    return tuple(int(index) for index in order[:SHOWN_FIELDS])


def drop_later_epochs(logs: Path, epochs_done: int) -> None:
    """Take out what a log holds beyond the epochs that are done.

    A process that was killed between the log and the checkpoint of an epoch leaves
    events of an epoch that is then done again; they would be shown twice. A last
    event that is cut short goes as well.

    Args:
        logs: Folder of event files; the files without such events stay untouched.
        epochs_done: 0 takes out all, for then a run begins anew.
    """
    last_step = epochs_done or -1  # the settings have step 0
    for path in logs.glob("events.out.tfevents.*"):
        records = tf.data.TFRecordDataset(str(path)).ignore_errors()
        events = list(records.as_numpy_iterator())
        kept = [e for e in events if Event.FromString(e).step <= last_step]
        if len(kept) < len(events):
            with (
                whole_file(path) as temporary,
                tf.io.TFRecordWriter(str(temporary)) as file,
            ):
                for event in kept:
                    file.write(event)


def _write_picture(tag: str, picture: NDArray[np.uint8]) -> None:
    tf.summary.image(tag, picture[np.newaxis])


def _tag(name: str) -> str:
    """Group the curves: "val_iou_void" is "val_iou/void"."""
    for score in ("iou", "f1", "precision", "recall"):
        prefix = f"val_{score}_"
        if name.startswith(prefix):
            return f"val_{score}/{name.removeprefix(prefix)}"
    return name
