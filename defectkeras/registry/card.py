"""The model card: what a model is, what it was trained on, and how good it is.

Reference:
    Mitchell et al., Model Cards for Model Reporting, FAT* 2019,
    doi:10.1145/3287560.3287596.
"""

import dataclasses
import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from defectkeras.core.errors import RegistryError
from defectkeras.core.files import write_json
from defectkeras.core.labels import LabelScheme
from defectkeras.core.names import require_known
from defectkeras.core.strict import from_mapping
from defectkeras.core.symmetries import Symmetries
from defectkeras.registry.manifest import EXTRA_FOLDER, read_json
from defectkeras.registry.names import require_name

CARD = EXTRA_FOLDER / "model_card.json"

_SCHEMA = 1
_FREE_TABLES = (
    "arguments",
    "applicability",
    "split",
    "config",
    "metrics",
    "environment",
)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What is told about a model version; written as JSON, read strictly.

    Attributes:
        name: Name of the model in the registry.
        description: One sentence on what it finds, and in what.
        architecture: Name of the builder, such as "defectsegnet".
        arguments: Arguments of the builder.
        scheme: The classes of its class map.
        stride: Height and width of a tile must be multiples of it, in px.
        receptive_field_px: Side of the square that one output pixel sees; None
            where it sees the whole tile, by a pool over it.
        pixel_size_range_nm: Smallest and largest pixel size in the training data,
            or None when not known.
        low_percent: Percentile of the grey levels that becomes 0.
        high_percent: Percentile of the grey levels that becomes 1.
        thresholds: Class name to the least probability for that class; empty when
            the most probable class is taken.
        augment: Whether `analyze` and `evaluate` take the mean over views where the
            user does not say; the thresholds were then tuned for it.
        symmetries: Which views these are: those that it has learned from.
        applicability: How its training micrographs look, to compare others with, see
            `defectkeras.prediction.applicability`; empty when not known.
        dataset_name: Name of the data spec.
        dataset_fingerprint: "sha256:..." over the contents of its files.
        split: Names of the examples per split.
        license: License of the model.
        attribution: Whom to cite for the data, and their license.
        config: The resolved training config.
        metrics: Figures per class and per quantity, and on which split.
        environment: Versions and device of the training.
        parent: Reference of the version that the training began from, or None.
        intended_use: For what it was made.
        limits: For what it was not, and where it is known to fail.
        created: UTC time, ISO 8601.
        schema: Number of this form.

    Raises:
        RegistryError: When a value is not as it must be.
    """

    name: str
    description: str
    architecture: str
    arguments: dict[str, Any]
    scheme: LabelScheme
    stride: int
    receptive_field_px: int | None
    pixel_size_range_nm: tuple[float, float] | None
    low_percent: float = 0.1
    high_percent: float = 99.9
    thresholds: dict[str, float] = field(default_factory=dict)
    augment: bool = False
    symmetries: Symmetries = "square"
    applicability: dict[str, Any] = field(default_factory=dict)
    dataset_name: str
    dataset_fingerprint: str
    split: dict[str, Any]
    license: str
    attribution: str
    config: dict[str, Any]
    metrics: dict[str, Any]
    environment: dict[str, Any]
    parent: str | None = None
    intended_use: str
    limits: str
    created: str = field(default_factory=_now)
    schema: int = _SCHEMA

    def __post_init__(self) -> None:
        """Check the values, and bring the free tables into their JSON form."""
        require_name(self.name)
        _require(self.schema == _SCHEMA, f"`schema` must be {_SCHEMA}", self.schema)
        _require(self.stride >= 1, "`stride` must be at least 1", self.stride)
        _require(
            self.receptive_field_px is None or self.receptive_field_px >= 1,
            "`receptive_field_px` must be at least 1",
            self.receptive_field_px,
        )
        percents = (self.low_percent, self.high_percent)
        _require(
            0 <= self.low_percent < self.high_percent <= 100,
            "The percentiles must rise within 0 to 100",
            percents,
        )
        self._check_pixel_size_range()
        self._check_thresholds()
        for name in _FREE_TABLES:
            object.__setattr__(self, name, _json_form(name, getattr(self, name)))

    def learned_from(self) -> frozenset[str]:
        """Give the names of the examples of its data spec that it has learned from."""
        folds = self.split.get("folds", ())
        return frozenset(self.split.get("train", ())).union(*folds)

    def _check_pixel_size_range(self) -> None:
        sizes = self.pixel_size_range_nm
        if sizes is not None:
            _require(
                0 < sizes[0] <= sizes[1] < math.inf,
                "`pixel_size_range_nm` must be above 0, the smallest first",
                sizes,
            )

    def _check_thresholds(self) -> None:
        names = [c.name for c in self.scheme.defects]
        for name, threshold in self.thresholds.items():
            require_known(
                name, names, what="class in `thresholds`", error=RegistryError
            )
            _require(0 < threshold < 1, "A threshold must be within 0 to 1", threshold)

    def views(self, augment: bool | None = None) -> Symmetries:
        """Give the symmetries over whose views it is to average.

        Args:
            augment: Whether it is to; None does what the card says.

        Raises:
            RegistryError: When it is to and there is one view alone.
        """
        if augment and self.symmetries == "none":
            raise RegistryError(
                f"{self.name} must have learned from turned or mirrored micrographs "
                "for --augment, and has not. Leave it out."
            )
        augment = self.augment if augment is None else augment
        return self.symmetries if augment else "none"

    def threshold_values(self) -> tuple[float, ...] | None:
        """Give the threshold of each defect class, 0.5 where none is given.

        None when the card has no threshold: then the most probable class is taken.
        """
        if not self.thresholds:
            return None
        return tuple(self.thresholds.get(c.name, 0.5) for c in self.scheme.defects)

    def to_dict(self) -> dict[str, Any]:
        """Give the card as dicts, lists, text and numbers, for JSON.

        The other way is `card_from_dict`.
        """
        return dict(_json_form("card", dataclasses.asdict(self)))


def card_from_dict(table: Any, *, where: str = "model card") -> ModelCard:
    """Make a card from its table, strictly.

    Args:
        table: As `ModelCard.to_dict` gives it.
        where: What the error message calls it, such as a path.

    Raises:
        RegistryError: When a key is unknown or missing, or a value is wrong.
    """
    return from_mapping(ModelCard, table, where=where, error=RegistryError)


def read_card(folder: Path) -> ModelCard:
    """Read the card of a version's folder.

    Raises:
        RegistryError: When it is missing or not as it must be.
    """
    path = folder / CARD
    return card_from_dict(read_json(path), where=str(path))


def write_card(card: ModelCard, folder: Path) -> None:
    """Write the card into a version's folder."""
    write_json(folder / CARD, card.to_dict())


def _require(holds: bool, rule: str, received: object) -> None:
    if not holds:
        raise RegistryError(f"Model card: {rule}. Received: {received}.")


def _json_form(name: str, value: Any) -> Any:
    """Give a value as JSON would give it back: tuples as lists, keys as text."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise RegistryError(
            f"Model card: `{name}` must hold only text, finite numbers, flags, None, "
            f"lists and tables of them, but: {error}."
        ) from error
