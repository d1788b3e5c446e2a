"""Train a model on patches, validate it on whole micrographs, keep the best."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import keras
import tensorflow as tf

from defectkeras.core.errors import TrainingError
from defectkeras.core.labels import LabelScheme
from defectkeras.datasets.spec import Example, LoadedExample
from defectkeras.training.checkpoint import RunState, load_checkpoint
from defectkeras.training.config import TrainingConfig
from defectkeras.training.interruption import notice_interrupts, resume_command
from defectkeras.training.loop import TrainingLoop
from defectkeras.training.loss_scale import loss_scale_for
from defectkeras.training.optimizer import synchronize_batch_norms
from defectkeras.training.precision import in_float32
from defectkeras.training.prepare import (
    build_parts,
    check_model,
    load_stores,
)
from defectkeras.training.progress import OnProgress
from defectkeras.training.run_folder import (
    BEST_WEIGHTS,
    Row,
    require_same_run,
    start_run_folder,
)
from defectkeras.training.strategy import Devices, choose_devices

StopReason = Literal["finished", "early_stopping"]


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """A finished run.

    Attributes:
        model: With the best weights; of a model with auxiliary heads, the part
            without them.
        history: One row per epoch: "epoch", "seconds", "learning_rate", "loss"
            and the validation's scores; None where a score has no value.
        best_epoch: The epoch of the best weights, from 1.
        best_score: Its mean IoU of the defects on the validation split.
        run_folder: Where the files of the run are.
        stop_reason: "finished" (all epochs) or "early_stopping".
    """

    model: keras.Model
    history: tuple[Row, ...]
    best_epoch: int
    best_score: float
    run_folder: Path
    stop_reason: StopReason

    def __str__(self) -> str:
        """Say in one line how the run ended and which weights were kept."""
        ends = {
            "finished": "Trained all epochs",
            "early_stopping": f"Stopped after epoch {len(self.history)}, "
            "since it became no better",
        }
        return (
            f"{ends[self.stop_reason]}; kept the weights of epoch "
            f"{self.best_epoch}, with a mean IoU of the defects of "
            f"{self.best_score:.3f} on the validation split, in "
            f"{self.run_folder / BEST_WEIGHTS}."
        )


def train(  # noqa: PLR0913  (what, on what, how, where; each is asked for)
    model: keras.Model,
    training_examples: Sequence[Example | LoadedExample],
    validation_examples: Sequence[Example | LoadedExample],
    scheme: LabelScheme,
    config: TrainingConfig,
    *,
    run_folder: Path | str,
    resume: bool = False,
    keep_epoch: int | None = None,
    devices: Devices | None = None,
    on_progress: OnProgress | None = None,
) -> TrainingRun:
    """Train a model and keep the weights that do best on the validation split.

    Call `seed_everything(config.seed)` and set the precision before the model
    is built. The order of the data is a pure function of (seed, epoch, step).

    Args:
        model: (B, H, W, 1) to logits (B, H, W, K); or one map of logits where
            there is one defect class. Further outputs (B, h, w, K) are logits of
            auxiliary heads. It is trained in place.
        training_examples: Patches are drawn from these.
        validation_examples: Whole micrographs, predicted once per epoch.
        scheme: The K classes.
        config: The settings.
        run_folder: New; for the files of the run. Workers share it.
        resume: Whether the folder holds a run that goes on where it stopped.
        keep_epoch: Ends with this epoch and keeps its weights, whatever the score;
            None keeps the best.
        devices: Where it computes; the model was built in the scope of their
            strategy. None is one device.
        on_progress: Told after each step and each validation.

    Returns:
        The run, its model with the best weights and in float32.

    Raises:
        TrainingError: When the run cannot start (no validation split, nothing
            annotated, sizes or classes that do not fit), cannot be written (full
            disk, folder not writable), is not the one that the folder holds, the
            loss is no number, memory runs out, a worker has gone, or somebody
            wishes to stop (Ctrl-C; a `StoppedError`). The last good state stays in
            the run folder.
    """
    run_folder, devices = Path(run_folder), devices or choose_devices("one")
    check_model(model, scheme, config)
    with _told_errors(run_folder, config):
        stores = load_stores(
            training_examples,
            validation_examples,
            scheme,
            target_pixel_size_nm=config.target_pixel_size_nm,
            folder=run_folder,
            score_decides=keep_epoch is None,
        )
    synchronize_batch_norms(model, devices.replicas > 1)
    parts = build_parts(model, stores, scheme, config, devices)
    interrupts = notice_interrupts("this step or validation, which is saved")
    with _told_errors(run_folder, config), interrupts as wants_to_stop:
        state = RunState(loss_scale=loss_scale_for(model.dtype_policy.name))
        if resume:
            require_same_run(run_folder, config, model, stores)
            state = load_checkpoint(run_folder, parts.variables)
        elif devices.is_chief:
            start_run_folder(run_folder, config, model, stores)
        loop = TrainingLoop(
            parts,
            config,
            devices,
            run_folder=run_folder,
            state=state,
            keep_epoch=keep_epoch,
            on_progress=on_progress,
            wants_to_stop=wants_to_stop,
        )
        loop.run()
        synchronize_batch_norms(model, False)
        return _finish(parts.model, loop.state, run_folder)


@contextlib.contextmanager
def _told_errors(run_folder: Path, config: TrainingConfig) -> Iterator[None]:
    """Turn what may befall a run into a sentence with what to do."""
    resume = f"Go on with: {resume_command(run_folder)}"
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"{run_folder}: the run could not be written. {error}. Free some space "
            "or name another folder; what was written before is kept."
        ) from error
    except tf.errors.ResourceExhaustedError as error:
        raise TrainingError(
            "The memory or the disk is full. Lower `batch_size` (now "
            f"{config.batch_size}) or `patch_size` (now {config.patch_size}), raise "
            f"`accumulation_steps`, or free some space. {_first_line(error)}"
        ) from error
    except (tf.errors.UnavailableError, tf.errors.AbortedError) as error:
        raise TrainingError(
            f"Another worker has gone, and the run has ended. {resume} on all "
            f"workers. {_first_line(error)}"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _finish(model: keras.Model, state: RunState, run_folder: Path) -> TrainingRun:
    """Give the model its best weights back."""
    if state.best_epoch is None or state.best_score is None:
        raise ValueError(f"A finished run must have a best epoch. Received: {state}.")
    model.load_weights(run_folder / BEST_WEIGHTS)
    return TrainingRun(
        model=in_float32(model),
        history=state.rows,
        best_epoch=state.best_epoch,
        best_score=state.best_score,
        run_folder=run_folder,
        stop_reason="early_stopping" if state.has_stopped_early else "finished",
    )
