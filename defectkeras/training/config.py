"""What a training run is told, in one frozen form."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from defectkeras.core.errors import TrainingError
from defectkeras.core.names import require_known
from defectkeras.core.strict import from_mapping
from defectkeras.core.symmetries import Symmetries
from defectkeras.losses import read_expression
from defectkeras.pipelines.augment import Augmentation
from defectkeras.pipelines.input_pipeline import PipelineConfig

Precision = Literal["auto", "float32", "mixed_float16", "mixed_bfloat16"]
OptimizerName = Literal["adamw", "sgd"]
ScheduleName = Literal["cosine", "poly", "constant"]
JitRule = Literal["auto", "on", "off"]
StrategyName = Literal["auto", "one", "mirrored", "multiworker"]

_ABOVE_ZERO = (
    "learning_rate",
    "gradient_clip_norm",
    "poly_power",
    "encoder_rate_factor",
)
_FROM_ZERO = (
    "weight_decay",
    "warmup_epochs",
    "frozen_epochs",
    "auxiliary_weight",
    "checkpoint_minutes",
    "seed",
)
CLASS_WEIGHT_RULES = ("median_frequency", "none")


@dataclass(frozen=True)
class TrainingConfig:
    """The settings of a training run.

    `batch_size` is what one update of the weights sees, on however many devices
    and in however many parts it is computed. Neither changes the result by more
    than rounding, but for batch normalization, which sees one of
    `accumulation_steps` parts at a time, and losses that are no sum over pixels.

    Attributes:
        epochs: Largest number of epochs.
        steps_per_epoch: Batches per epoch; after each epoch the model is
            validated.
        batch_size: Patches per update, over all devices and parts.
        accumulation_steps: Parts that a batch is computed in, one after another,
            where it does not fit into memory at once.
        patch_size: Side of a patch in px, a multiple of the model's stride.
        optimizer: "adamw", or "sgd" with Nesterov's momentum.
        momentum: Of SGD.
        learning_rate: Its highest value.
        schedule: How the learning rate goes on after the warm-up: "cosine" and
            "poly" fall to 0 at the end, "constant" stays.
        poly_power: Exponent of the schedule "poly".
        weight_decay: Decoupled, for both optimizers.
        warmup_epochs: Over which the learning rate rises from 0.
        gradient_clip_norm: Largest norm of all gradients together.
        ema_momentum: Of the exponential moving average of the weights, which is
            then what is validated and kept; 0 keeps none.
        frozen_epochs: Epochs at the beginning in which the encoder does not
            learn.
        encoder_rate_factor: Learning rate of the encoder, relative to the rest.
        auxiliary_weight: Of the mean loss of the auxiliary heads, where a model
            has some.
        loss: An expression such as "ce" or "0.5*ce + 0.5*focal(gamma=2)", see
            `read_expression`; "cldice" takes the line classes of the scheme.
        class_weights: "none", "median_frequency", or one weight for each class
            with the matrix first; for the cross-entropy. The patches balance the
            classes already, so that weights easily make defects too large.
        class_weight_cap: Weights by median frequency lie between 1 / cap and
            cap.
        rare_class_fraction: Part of the patches that is drawn where defects are.
        target_pixel_size_nm: To which all micrographs are resampled; None leaves
            them as they are.
        augmentation: How far a patch may be changed.
        patience: Epochs without a better mean IoU of the defects after which
            training stops.
        tune_thresholds: Whether to choose, on the validation split, the least
            probability from which a pixel belongs to each defect class.
        augment_predictions: Whether probabilities are the mean over the views that
            `augmentation` has by symmetry, unless the user says otherwise;
            temperature and thresholds suit it.
        refit: Whether to learn once more, from the training and the validation split
            together, for as many epochs as were best, and to keep that; temperature
            and thresholds are those of the first time.
        seed: Of everything that is drawn.
        deterministic: Whether every operation must give the same bits each time.
        precision: "auto", "float32", "mixed_float16" or "mixed_bfloat16"; it
            must be set before the model is built, see `choose_precision`.
        jit: Whether XLA compiles the step: "auto", "on" or "off".
        strategy: On which devices: "auto", "one", "mirrored" (the GPUs of this
            machine) or "multiworker" (several machines).
        checkpoint_minutes: Largest time between two checkpoints; there is also
            one after each epoch.
        histograms: Whether the log holds histograms of the weights, too.
        profile: Whether a few steps are profiled for TensorBoard.

    Raises:
        TrainingError: When a value is out of its range.

    References:
        I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR
        (2019), https://doi.org/10.48550/arXiv.1711.05101
    """

    epochs: int = 50
    steps_per_epoch: int = 100
    batch_size: int = 8
    accumulation_steps: int = 1
    patch_size: int = 256
    optimizer: OptimizerName = "adamw"
    momentum: float = 0.9
    learning_rate: float = 2e-3
    schedule: ScheduleName = "cosine"
    poly_power: float = 0.9
    weight_decay: float = 1e-4
    warmup_epochs: float = 1.0
    gradient_clip_norm: float = 1.0
    ema_momentum: float = 0.0
    frozen_epochs: int = 0
    encoder_rate_factor: float = 1.0
    auxiliary_weight: float = 0.4
    loss: str = "ce"
    class_weights: str | tuple[float, ...] = "none"
    class_weight_cap: float = 4.0
    rare_class_fraction: float = 0.5
    target_pixel_size_nm: float | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    patience: int = 15
    tune_thresholds: bool = False
    augment_predictions: bool = False
    refit: bool = False
    seed: int = 0
    deterministic: bool = False
    precision: Precision = "auto"
    jit: JitRule = "auto"
    strategy: StrategyName = "auto"
    checkpoint_minutes: float = 5.0
    histograms: bool = False
    profile: bool = False

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("epochs", "steps_per_epoch", "patience", "accumulation_steps"):
            _require_at_least(name, getattr(self, name), 1)
        for name in _ABOVE_ZERO:
            if not 0 < getattr(self, name) < float("inf"):
                raise TrainingError(
                    f"`{name}` must be above 0. Received: {getattr(self, name)}."
                )
        for name in _FROM_ZERO:
            _require_at_least(name, getattr(self, name), 0)
        for name in ("momentum", "ema_momentum"):
            if not 0 <= getattr(self, name) < 1:
                raise TrainingError(
                    f"`{name}` must be at least 0 and below 1. "
                    f"Received: {getattr(self, name)}."
                )
        _require_at_least("class_weight_cap", self.class_weight_cap, 1)
        target_nm = self.target_pixel_size_nm
        if target_nm is not None and not 0 < target_nm < float("inf"):
            raise TrainingError(
                f"`target_pixel_size_nm` must be above 0. Received: {target_nm}."
            )
        read_expression(self.loss)
        self._check_class_weights()
        self._check_views()
        self.pipeline()  # checks the rest

    def _check_views(self) -> None:
        if self.augment_predictions and self.augmentation.symmetries == "none":
            raise TrainingError(
                "`augment_predictions` needs the views of `augmentation.symmetries`. "
                "Received: 'none'. Set one of them otherwise."
            )

    @property
    def views(self) -> Symmetries:
        """Give the symmetries over whose views probabilities are the mean."""
        return self.augmentation.symmetries if self.augment_predictions else "none"

    def _check_class_weights(self) -> None:
        weights = self.class_weights
        if isinstance(weights, str):
            require_known(
                weights,
                CLASS_WEIGHT_RULES,
                what="rule for `class_weights`",
                error=TrainingError,
            )
        elif not all(0 <= w < float("inf") for w in weights):
            raise TrainingError(
                f"`class_weights` must be at least 0. Received: {weights}."
            )

    def pipeline(self) -> PipelineConfig:
        """Give the part that the input pipeline needs."""
        return PipelineConfig(
            patch_size=self.patch_size,
            batch_size=self.batch_size,
            seed=self.seed,
            rare_class_fraction=self.rare_class_fraction,
            augmentation=self.augmentation,
        )


def _require_at_least(name: str, value: float, low: int) -> None:
    if not low <= value < float("inf"):
        raise TrainingError(f"`{name}` must be at least {low}. Received: {value}.")


def load_training_config(
    path: Path | str | None = None, overrides: Mapping[str, Any] | None = None
) -> TrainingConfig:
    """Read a configuration, strictly: an unknown key is an error.

    Args:
        path: A TOML file with keys of `TrainingConfig`, and the table
            [augmentation]; None takes the defaults.
        overrides: Values that win over those of the file, by key.

    Raises:
        TrainingError: When the file cannot be read, or a key or a value is
            wrong.

    Example:
        >>> load_training_config(overrides={"epochs": 3}).epochs
        3
        >>> load_training_config(overrides={"epoch": 3})
        Traceback (most recent call last):
        defectkeras.core.errors.TrainingError: training settings: unknown key \
'epoch'. Did you mean 'epochs'?
    """
    settings = {**(read_toml(Path(path)) if path else {}), **(overrides or {})}
    where = str(path) if path else "training settings"
    return from_mapping(TrainingConfig, settings, where=where, error=TrainingError)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file of settings, its keys not yet checked.

    Raises:
        TrainingError: When it cannot be read.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise TrainingError(f"{path}: must be a TOML file. {error}") from error
