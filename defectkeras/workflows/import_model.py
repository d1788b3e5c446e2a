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

    from defectkeras.registry.foreign.adaptation import Adaptation

LIMITS = (
    "Imported: what it was trained on and how good it is is not known here. It sees "
    "grey levels between two percentiles of the whole micrograph, scaled as its config "
    "says; if it was trained on others, its results are not those of its origin."
)


@dataclasses.dataclass(frozen=True)
class ImportRequest:
    """What is to be imported, and what a file cannot tell.

    Attributes:
        path: A file or folder of one of the `SOURCES`.
        name: Name in the registry.
        scheme: The classes of its output.
        registry_root: Folder of the registry; None takes the default.
        scale: The grey level that 1 stands for in the model's input, one number or
            one for each of its channels; None takes that of the source.
        offset: What is added then, one number or one for each channel.
        skip_layers: Names or classes of layers that are left out.
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
    scale: tuple[float, ...] | None = None
    offset: tuple[float, ...] = (0.0,)
    skip_layers: tuple[str, ...] = ()
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
        adaptation: What becomes of grey levels in [0, 1] first.
    """

    model: "keras.Model"
    architecture: str
    arguments: dict[str, Any]
    stride: int
    receptive_field_px: int | None
    adaptation: "Adaptation"


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


def _is_keras(path: Path) -> bool:
    return path.suffix.lower() in (".h5", ".hdf5", ".keras") or (
        (path / "keras_metadata.pb").is_file()
    )


def _read_keras(request: ImportRequest) -> ImportedModel:
    from defectkeras.registry.foreign.files import read_keras_model

    adaptation = _adaptation(request, default_scale=1.0)
    model = read_keras_model(request.path, adaptation)
    return _described(model, "imported", {}, adaptation)


def _is_checkpoint(path: Path) -> bool:
    prefix = path.with_suffix("") if path.suffix == ".index" else path
    return prefix.with_name(f"{prefix.name}.index").is_file()


def _read_checkpoint(request: ImportRequest) -> ImportedModel:
    from defectkeras.registry.foreign.defect_seg_net import read_defect_seg_net

    if request.skip_layers:
        raise ModelError(
            "All layers of a checkpoint of DefectSegNet are needed. Received to leave "
            f"out: {', '.join(request.skip_layers)}."
        )
    adaptation = _adaptation(request, default_scale=255.0)
    model = read_defect_seg_net(request.path, adaptation)
    arguments = {"num_classes": 1, "variant": "released"}
    return _described(model, "defectsegnet", arguments, adaptation)


def _adaptation(request: ImportRequest, *, default_scale: float) -> "Adaptation":
    from defectkeras.registry.foreign.adaptation import Adaptation

    scale = (default_scale,) if request.scale is None else request.scale
    return Adaptation(scale, request.offset, request.skip_layers)


def _described(
    model: "keras.Model",
    architecture: str,
    arguments: dict[str, Any],
    adaptation: "Adaptation",
) -> ImportedModel:
    from defectkeras.models.build import describe_architecture

    facts = describe_architecture(model)
    return ImportedModel(
        model,
        architecture,
        arguments,
        facts.stride,
        facts.receptive_field_px,
        adaptation,
    )


SOURCES = (
    Source(
        "a model of Keras (.h5, .keras; of Keras 2 a SavedModel)",
        _is_keras,
        _read_keras,
    ),
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
        config={
            "imported_from": request.path.name,
            **dataclasses.asdict(imported.adaptation),
        },
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
