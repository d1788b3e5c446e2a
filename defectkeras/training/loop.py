"""The loop over steps and epochs, which can be left after any step."""

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras

from defectkeras.core.errors import TrainingError
from defectkeras.core.labels import LabelScheme
from defectkeras.pipelines.input_pipeline import (
    build_training_dataset,
    names_in_batch,
    require_known_cardinality,
)
from defectkeras.pipelines.store import ImageStore
from defectkeras.training.average import AverageWeights
from defectkeras.training.checkpoint import (
    CHECKPOINT,
    RunState,
    Variables,
    save_checkpoint,
)
from defectkeras.training.config import TrainingConfig
from defectkeras.training.event_log import EventLog, choose_fields
from defectkeras.training.interruption import stopped_error
from defectkeras.training.progress import OnProgress, progress_of
from defectkeras.training.records import history_row, scores_for_log
from defectkeras.training.run_folder import (
    BEST_WEIGHTS,
    LOGS,
    save_best_weights,
    write_history,
)
from defectkeras.training.schedule import learning_rate_at
from defectkeras.training.step import Gradients, TrainingStep
from defectkeras.training.step_profile import OfStep, profile_steps
from defectkeras.training.strategy import Devices
from defectkeras.training.validation import Forward, Validation, validate


@dataclasses.dataclass(frozen=True, eq=False)
class Parts:
    """What a run is made of, ready to go.

    Attributes:
        model: With one output, the main head; it is validated and kept.
        step_for: Gives the step for an epoch, from 0.
        forward: Predicts class maps by the model.
        average: Of the weights, or None.
        variables: All that a checkpoint holds, by name.
        training: The examples of the training split.
        validation: Those of the validation split.
        scheme: The classes.
        stride: Of the model.
    """

    model: keras.Model
    step_for: Callable[[int], TrainingStep]
    forward: Forward
    average: AverageWeights | None
    variables: Variables
    training: ImageStore
    validation: ImageStore
    scheme: LabelScheme
    stride: int


class TrainingLoop:
    """Go on from a state to the end of a run, or to the wish to stop.

    Args:
        parts: What the run is made of.
        config: The settings.
        devices: Where it computes.
        run_folder: For its files.
        state: Where it stands.
        keep_epoch: The last epoch, whose weights are kept; None keeps the best.
        on_progress: Told after each step and each validation.
        wants_to_stop: Tells whether to stop after this step; not 0 is yes.
    """

    def __init__(
        self,
        parts: Parts,
        config: TrainingConfig,
        devices: Devices,
        *,
        run_folder: Path,
        state: RunState,
        keep_epoch: int | None,
        on_progress: OnProgress | None,
        wants_to_stop: Callable[[], int],
    ) -> None:
        self.parts, self.config, self.devices = parts, config, devices
        self.run_folder, self.state = run_folder, state
        self.keep_epoch, self.epochs = keep_epoch, keep_epoch or config.epochs
        self.on_progress, self.wants_to_stop = on_progress, wants_to_stop
        self.score: float | None = None
        self.saved_at = time.monotonic()
        self.log: EventLog | None = None
        self.shown = choose_fields(parts.validation.class_counts)

    @property
    def is_chief(self) -> bool:
        """Whether this process writes."""
        return self.devices.is_chief

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to do."""
        return self.state.has_stopped_early or self.state.epoch == self.epochs

    def run(self) -> None:
        """Train until the end.

        Raises:
            StoppedError: When somebody wishes to stop.
            TrainingError: When the loss or a weight is no number.
            OSError: When a file cannot be written.
        """
        if self.is_done:
            return
        if not (self.run_folder / CHECKPOINT).exists():
            self.save()  # so that a run can go on from its first step
        if self.is_chief:
            self.log = EventLog(
                self.run_folder,
                self.parts.scheme,
                self.config,
                self.parts.model,
                epochs_done=self.state.epoch,
            )
        batches = self._batches()
        is_profiled = self.is_chief and self.config.profile
        with profile_steps(self.run_folder / LOGS, is_profiled) as of_step:
            while not self.is_done:
                self._run_epoch(batches, of_step)
                self._finish_epoch()
                self._stop_if_wished()

    def save(self) -> None:
        """Write a checkpoint."""
        if self.is_chief:
            save_checkpoint(self.run_folder, self.state, self.parts.variables)
        self.saved_at = time.monotonic()

    def _batches(self) -> Iterator[Any]:
        """Give what is left of all batches, in the order that seed and step give."""
        share = self.devices.share(
            self.config.batch_size, self.config.accumulation_steps
        )

        def build(context: Any) -> Any:
            dataset = build_training_dataset(
                self.parts.training,
                self.config.pipeline(),
                epoch=self.state.epoch,
                epochs=self.epochs - self.state.epoch,
                steps=self.config.steps_per_epoch,
                first_step=self.state.step,
                share=share,
            )
            require_known_cardinality(dataset)
            return dataset

        strategy = self.devices.strategy
        batches: Iterator[Any] = iter(strategy.distribute_datasets_from_function(build))
        return batches

    def _run_epoch(self, batches: Iterator[Any], of_step: OfStep) -> None:
        step = self.parts.step_for(self.state.epoch)
        count = self.config.accumulation_steps
        while self.state.step < self.config.steps_per_epoch:
            started = time.monotonic()
            with of_step():
                gradients = step.gradients(batches, count, self.state.loss_scale.value)
                self._apply(step, gradients)
            norm = gradients.norm if math.isfinite(gradients.norm) else 0.0
            self.state = dataclasses.replace(
                self.state,
                step=self.state.step + 1,
                loss_sum=self.state.loss_sum + gradients.loss,
                norm_sum=self.state.norm_sum + norm,
                seconds=self.state.seconds + time.monotonic() - started,
            )
            self._tell()
            self._stop_if_wished()
            if time.monotonic() - self.saved_at >= 60 * self.config.checkpoint_minutes:
                self.save()

    def _apply(self, step: TrainingStep, gradients: Gradients) -> None:
        """Change the weights, unless a number is not finite."""
        scale = self.state.loss_scale
        is_finite = math.isfinite(gradients.norm)
        if not math.isfinite(gradients.loss) or not (is_finite or scale.can_fall):
            raise self._bad_step(gradients)
        if is_finite:
            done = self.state.epoch * self.config.steps_per_epoch + self.state.step
            rate = learning_rate_at(self.config, done)
            average = self.parts.average
            step.apply(
                gradients, rate, average.momentum_after(done + 1) if average else 0.0
            )
        self.state = dataclasses.replace(
            self.state, loss_scale=scale.after(is_finite=is_finite)
        )

    def _bad_step(self, gradients: Gradients) -> TrainingError:
        epoch, step = self.state.epoch, self.state.step
        names = names_in_batch(
            self.parts.training, self.config.pipeline(), epoch=epoch, step=step
        )
        best = self.run_folder / BEST_WEIGHTS
        return TrainingError(
            "The loss and its gradients must stay finite. Received: loss "
            f"{gradients.loss}, gradients of norm {gradients.norm}, in epoch "
            f"{epoch + 1}, step {step + 1}, with patches of {', '.join(names)}. Begin "
            f"a new run with a lower rate than {self.config.learning_rate:g}. The "
            f"last good state is kept in {self.run_folder / CHECKPOINT}"
            + (f", the best weights so far in {best}." if best.exists() else ".")
        )

    def _stop_if_wished(self) -> None:
        number = self.wants_to_stop()
        if not self.devices.any_worker(bool(number)):
            return
        self.save()
        raise stopped_error(number, self.state.epoch, self.state.step, self.run_folder)

    def _finish_epoch(self) -> None:
        """Validate, keep the best weights, write, and go over to the next epoch."""
        self.save()  # checks the weights, too
        state, done = self.state, self.state.epoch + 1
        validation = self._validate()
        self.score = score = validation.scores.mean_defect_iou
        row = history_row(
            epoch=done,
            seconds=round(state.seconds, 3),
            learning_rate=learning_rate_at(
                self.config, done * self.config.steps_per_epoch
            ),
            loss=state.loss_sum / self.config.steps_per_epoch,
            gradient_norm=state.norm_sum / self.config.steps_per_epoch,
            **scores_for_log(validation, self.parts.scheme),
        )
        is_best = self._is_best(score)
        best_epoch = done if is_best else state.best_epoch
        waited = done - (best_epoch or done)
        self.state = RunState(
            epoch=done,
            best_epoch=best_epoch,
            best_score=score if is_best else state.best_score,
            has_stopped_early=self.devices.any_worker(waited >= self.config.patience),
            loss_scale=state.loss_scale,
            rows=(*state.rows, row),
        )
        if self.log:
            write_history(self.state.rows, self.run_folder)
            self.log.write(self.state.rows, validation, self.parts.forward)
        self.save()
        self._tell()

    def _validate(self) -> Validation:
        """Validate, and keep the weights if they are the best so far."""
        parts, log = self.parts, self.log
        is_shown = log is not None and log.wants_pictures(self.state.epoch + 1)
        with parts.average.in_place() if parts.average else contextlib.nullcontext():
            validation = validate(
                parts.forward,
                parts.validation,
                parts.scheme,
                stride=parts.stride,
                shown=self.shown if is_shown else None,
            )
            score = validation.scores.mean_defect_iou
            if self.is_chief and self._is_best(score):
                save_best_weights(parts.model, self.run_folder)
        return validation

    def _is_best(self, score: float) -> bool:
        """Tell whether the weights of the epoch that ends are to be kept."""
        if self.keep_epoch is not None:
            return self.state.epoch + 1 == self.keep_epoch
        best = self.state.best_score
        return best is None or score > best

    def _tell(self) -> None:
        if self.on_progress is not None:
            steps = self.config.steps_per_epoch
            self.on_progress(progress_of(self.state, self.epochs, steps, self.score))
