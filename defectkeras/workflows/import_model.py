"""From a model that something else saved to a version in the registry."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from defectkeras.core.arrays import Image
from defectkeras.core.errors import ModelError, RegistryError
from defectkeras.core.labels import DefectClass, LabelScheme, scheme_of_names
from defectkeras.micrographs.read import read_micrograph
from defectkeras.registry.card import ModelCard
from defectkeras.registry.names import require_name
from defectkeras.registry.store import ModelRegistry, ModelVersion
from defectkeras.synthesis.synthesize import synthesize

if TYPE_CHECKING:
    import keras

LIMITS = (
    "Imported: what it was trained on and how good it is is not known here. It sees "
    "grey levels between two percentiles of the whole micrograph, times the scale in "
    "its config; if it was trained on others, its results are not those of its origin."
)


@dataclasses.dataclass(frozen=True)
class ImportRequest:
    """What is to be imported, and what a file cannot tell.

    Attributes:
        path: A file or folder of one of the `SOURCES`.
        name: Name in the registry.
        scheme: The classes of its output.
        registry_root: Folder of the registry; None takes the default.
        scale: The grey level that 1 stands for in the model's input; None takes
            that of the source.
        pixel_size_range_nm: Smallest and largest pixel size of its training data.
        golden_path: A micrograph to check it on; None takes a synthetic one.
        description: One sentence for the card; None writes a plain one.
        license: License of the model.
        attribution: Whom to cite.
    """

    path: Path
    name: str
    scheme: LabelScheme
    registry_root: Path | None = None
    scale: float | None = None
    pixel_size_range_nm: tuple[float, float] | None = None
    golden_path: Path | None = None
    description: str | None = None
    license: str = "not told"
    attribution: str = "not told"


@dataclasses.dataclass(frozen=True)
class ImportedModel:
    """A model as it was read.

    Attributes:
        model: (B, H, W, 1) to logits (B, H, W, K).
        architecture: What it is.
        arguments: Those of its builder, where it has one.
        stride: Height and width of a tile must be multiples of it, in px.
        receptive_field_px: Side of the square that an output pixel sees; None where
            it sees the whole image.
        scale: What its input in [0, 1] is multiplied by first.
    """

    model: "keras.Model"
    architecture: str
    arguments: dict[str, Any]
    stride: int
    receptive_field_px: int | None
    scale: float


@dataclasses.dataclass(frozen=True)
class Source:
    """Something that models come from.

    Attributes:
        what: What it is, in words.
        fits: Tells from the path whether this is it.
        read: Reads it.
    """

    what: str
    fits: Callable[[Path], bool]
    read: Callable[[ImportRequest], ImportedModel]


def _is_keras2(path: Path) -> bool:
    return path.suffix.lower() in (".h5", ".hdf5", ".keras") or (
        (path / "keras_metadata.pb").is_file()
    )


def _read_keras2(request: ImportRequest) -> ImportedModel:
    from defectkeras.registry.legacy.files import read_keras2_model

    scale = 1.0 if request.scale is None else request.scale
    model = read_keras2_model(request.path, scale=scale)
    return _described(model, "imported", {}, scale)


def _is_checkpoint(path: Path) -> bool:
    prefix = path.with_suffix("") if path.suffix == ".index" else path
    return prefix.with_name(f"{prefix.name}.index").is_file()


def _read_checkpoint(request: ImportRequest) -> ImportedModel:
    from defectkeras.registry.legacy.defect_seg_net import read_defect_seg_net

    scale = 255.0 if request.scale is None else request.scale
    model = read_defect_seg_net(request.path, scale=scale)
    arguments = {"num_classes": 1, "variant": "released"}
    return _described(model, "defectsegnet", arguments, scale)


def _described(
    model: "keras.Model", architecture: str, arguments: dict[str, Any], scale: float
) -> ImportedModel:
    from defectkeras.models.build import describe_architecture

    facts = describe_architecture(model)
    return ImportedModel(
        model, architecture, arguments, facts.stride, facts.receptive_field_px, scale
    )


SOURCES = (
    Source("a model of Keras 2 (.h5, .keras, SavedModel)", _is_keras2, _read_keras2),
    Source("a checkpoint of DefectSegNet (.index)", _is_checkpoint, _read_checkpoint),
)
"""What can be imported; the first that fits reads the path."""


def read_model(request: ImportRequest) -> ImportedModel:
    """Read a model from whatever its path is.

    Raises:
        ModelError: When no source fits, or the model cannot be imported.
    """
    require_name(request.name)
    for source in SOURCES:
        if source.fits(request.path):
            return source.read(request)
    known = "; ".join(source.what for source in SOURCES)
    raise ModelError(f"{request.path} must be one of: {known}.")


def import_model(request: ImportRequest, imported: ImportedModel) -> ModelVersion:
    """Publish what `read_model` gave as a new version.

    Raises:
        RegistryError: When model and classes do not fit, or it cannot be published.
    """
    defects = ", ".join(c.name for c in request.scheme.defects)
    card = ModelCard(
        name=request.name,
        description=request.description
        or f"Model for {defects}, imported from {request.path.name}",
        architecture=imported.architecture,
        arguments=imported.arguments,
        scheme=request.scheme,
        stride=imported.stride,
        receptive_field_px=imported.receptive_field_px,
        pixel_size_range_nm=request.pixel_size_range_nm,
        dataset_name="not told",
        dataset_fingerprint="not told",
        split={},
        license=request.license,
        attribution=request.attribution,
        config={"imported_from": request.path.name, "scale": imported.scale},
        metrics={},
        environment={},
        intended_use=f"Segmentation of {defects}, as at its origin.",
        limits=LIMITS,
    )
    return ModelRegistry(request.registry_root).publish(
        request.name, imported.model, card, golden_image=_golden_image(request)
    )


def _golden_image(request: ImportRequest) -> Image:
    if request.golden_path is not None:
        return read_micrograph(request.golden_path).pixels
    return synthesize("dci-stem", shape=(160, 232), seed=0).micrograph.pixels


def read_classes(text: str) -> LabelScheme:
    """Read classes such as "matrix, dislocation:line, void:region".

    Example:
        >>> [c.kind for c in read_classes("matrix, dislocation:line").classes]
        ['matrix', 'line']

    Raises:
        RegistryError: When a defect has no kind.
    """
    matrix, *defects = [word.strip() for word in text.split(",")]
    for word in defects:
        if not word.endswith((":region", ":line")):
            raise RegistryError(
                "Each class after the matrix must be name:region or name:line. "
                f"Received: {word!r}."
            )
    first = DefectClass(0, matrix.removesuffix(":matrix"), "matrix")
    return LabelScheme((first, *scheme_of_names(defects).defects))
