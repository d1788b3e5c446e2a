"""Find and measure crystallographic defects in electron micrographs.

The names below are the public surface; each is imported when it is first used,
so that `import defectkeras` is quick and needs no TensorFlow.
"""

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from defectkeras.core.calibration import Calibration
    from defectkeras.core.errors import DefectKerasError
    from defectkeras.core.labels import DefectClass, LabelScheme
    from defectkeras.core.micrograph import Micrograph
    from defectkeras.datasets.spec import load_dataset_spec
    from defectkeras.micrographs.normalize import normalize_percentile
    from defectkeras.micrographs.read import read_micrograph
    from defectkeras.prediction.predict import predict_micrograph
    from defectkeras.quantification.quantify import quantify
    from defectkeras.registry.load import load_predict_fn
    from defectkeras.registry.store import ModelRegistry
    from defectkeras.synthesis.synthesize import synthesize
    from defectkeras.workflows.analyze import analyze
    from defectkeras.workflows.evaluate import evaluate
    from defectkeras.workflows.train import train

__version__ = version("defectkeras")

_HOMES = {
    "Calibration": "defectkeras.core.calibration",
    "DefectClass": "defectkeras.core.labels",
    "DefectKerasError": "defectkeras.core.errors",
    "LabelScheme": "defectkeras.core.labels",
    "Micrograph": "defectkeras.core.micrograph",
    "ModelRegistry": "defectkeras.registry.store",
    "analyze": "defectkeras.workflows.analyze",
    "evaluate": "defectkeras.workflows.evaluate",
    "load_dataset_spec": "defectkeras.datasets.spec",
    "load_predict_fn": "defectkeras.registry.load",
    "normalize_percentile": "defectkeras.micrographs.normalize",
    "predict_micrograph": "defectkeras.prediction.predict",
    "quantify": "defectkeras.quantification.quantify",
    "read_micrograph": "defectkeras.micrographs.read",
    "synthesize": "defectkeras.synthesis.synthesize",
    "train": "defectkeras.workflows.train",
}

__all__ = [
    "Calibration",
    "DefectClass",
    "DefectKerasError",
    "LabelScheme",
    "Micrograph",
    "ModelRegistry",
    "analyze",
    "evaluate",
    "load_dataset_spec",
    "load_predict_fn",
    "normalize_percentile",
    "predict_micrograph",
    "quantify",
    "read_micrograph",
    "synthesize",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name, or a package such as `defectkeras.models`, at first use."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
