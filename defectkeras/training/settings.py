"""Where each setting comes from: a default, a plan, a file, a flag; the last one wins.

All of them share one set of names: "architecture", the keys of `TrainingConfig`
("epochs", "augmentation.gamma"), and the arguments of the architecture's builder
("model.output_stride").
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from defectkeras.core.errors import TrainingError
from defectkeras.core.names import suggestion
from defectkeras.core.strict import from_mapping
from defectkeras.training.config import TrainingConfig, read_toml

DEFAULT_ARCHITECTURE = "defectsegnet"
TABLES = ("augmentation", "model")


@dataclass(frozen=True)
class Settings:
    """What a run is told, and where each of it comes from.

    Attributes:
        architecture: A row of `MODEL_BUILDERS`.
        arguments: Of its builder, beside the number of classes.
        config: The settings of the training.
        origins: Dotted key to "default", or the name of a layer.
    """

    architecture: str
    arguments: dict[str, Any]
    config: TrainingConfig
    origins: dict[str, str]

    def values(self) -> dict[str, Any]:
        """Give all settings by dotted key, in the order of `origins`."""
        tables = {
            "architecture": self.architecture,
            **dataclasses.asdict(self.config),
            "model": self.arguments,
        }
        flat = flatten(tables)
        return {key: flat[key] for key in self.origins}


def resolve_settings(layers: Mapping[str, Mapping[str, Any]]) -> Settings:
    """Lay settings over each other.

    A layer that names another architecture than the one below leaves the arguments
    of that one behind.

    Args:
        layers: Name of a layer, such as "plan" or "flag", to its settings as in a
            TOML file (tables in tables); the later win.

    Raises:
        TrainingError: When a key is unknown (the nearest is told) or a value wrong.

    Example:
        >>> settings = resolve_settings({"plan": {"epochs": 9}, "flag": {"seed": 3}})
        >>> settings.config.epochs, settings.origins["epochs"]
        (9, 'plan')
        >>> resolve_settings({"plan": {"epoch": 9}})
        Traceback (most recent call last):
        defectkeras.core.errors.TrainingError: plan: unknown key 'epoch'. Did you mean \
'epochs'?
    """
    default = {"architecture": DEFAULT_ARCHITECTURE}
    flat = flatten({**default, **dataclasses.asdict(TrainingConfig())})
    origins = dict.fromkeys(flat, "default")
    for layer, told in layers.items():
        _check(layer, told)
        own = flatten(told)
        if own.get("architecture", flat["architecture"]) != flat["architecture"]:
            for key in [key for key in flat if key.startswith("model.")]:
                del flat[key], origins[key]
        flat.update(own)
        origins.update(dict.fromkeys(own, layer))
    tables = nest(flat)
    architecture, arguments = tables.pop("architecture"), tables.pop("model", {})
    config = from_mapping(TrainingConfig, tables, where="settings", error=TrainingError)
    return Settings(architecture, arguments, config, origins)


def read_layers(
    *,
    plan: Path | None = None,
    file: Path | None = None,
    flags: Mapping[str, Any] | None = None,
) -> dict[str, dict[str, Any]]:
    """Read the layers "plan", "file" and "flag".

    Args:
        plan: A TOML file, such as `defectkeras plan` writes.
        file: Another one, which wins over the plan.
        flags: By dotted key; they win over both.

    Raises:
        TrainingError: When a file cannot be read, or a key or a value is wrong.
    """
    layers = {}
    for name, path in (("plan", plan), ("file", file)):
        if path is not None:
            layers[name] = read_toml(path)
            _check(str(path), layers[name])
    return {**layers, "flag": nest(flags or {})}


def flatten(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Give the entries of the tables in a table by dotted keys.

    Example:
        >>> flatten({"epochs": 3, "model": {"filters": 8}})
        {'epochs': 3, 'model.filters': 8}
    """
    flat: dict[str, Any] = {}
    for key, value in tables.items():
        if isinstance(value, Mapping) and key in TABLES:
            flat.update({f"{key}.{name}": entry for name, entry in value.items()})
        else:
            flat[key] = value
    return flat


def nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `flatten`.

    Example:
        >>> nest({"epochs": 3, "model.filters": 8})
        {'epochs': 3, 'model': {'filters': 8}}
    """
    tables: dict[str, Any] = {}
    for key, value in flat.items():
        head, dot, name = key.partition(".")
        if dot:
            tables.setdefault(head, {})[name] = value
        else:
            tables[key] = value
    return tables


def _check(layer: str, told: Mapping[str, Any]) -> None:
    """Check one layer by itself, so that an error names it."""
    known = {f.name for f in dataclasses.fields(TrainingConfig)}
    known |= {"architecture", "model"}
    for key in told:
        if key not in known:
            raise TrainingError(
                f"{layer}: unknown key {key!r}.{suggestion(key, known)}"
            )
    for key, kind in (("architecture", str), ("model", Mapping)):
        if key in told and not isinstance(told[key], kind):
            what = "a table" if key == "model" else "the name of a network"
            raise TrainingError(
                f"{layer} {key}: must be {what}. Received: {told[key]!r}."
            )
    rest = {k: v for k, v in told.items() if k not in ("architecture", "model")}
    from_mapping(TrainingConfig, rest, where=layer, error=TrainingError)
