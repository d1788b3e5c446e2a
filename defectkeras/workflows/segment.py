"""A model version of the registry, asked about micrographs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from defectkeras.core.arrays import ClassMap, PredictFn
from defectkeras.core.errors import ModelError
from defectkeras.core.micrograph import Micrograph
from defectkeras.prediction.domain import check_pixel_size
from defectkeras.prediction.postprocess import remove_small_objects
from defectkeras.prediction.predict import Prediction, predict_micrograph
from defectkeras.prediction.tiling import Tiling, choose_halo
from defectkeras.registry.card import ModelCard
from defectkeras.registry.store import ModelRegistry, ModelVersion


@dataclass(frozen=True)
class SegmentSettings:
    """How micrographs are segmented.

    Attributes:
        tile_size: Largest side of a tile in px.
        batch_size: Tiles that the network takes at once.
        augment: Whether to average over the eight symmetries of the square.
        rescale: Whether to resample a micrograph whose pixel size the model has
            not learned from to the nearest one that it has.
        min_area_px: Connected pixels of one class become matrix when they are
            fewer.
        runtime: The engine, "tensorflow" or one that the version was converted for.
    """

    tile_size: int = 512
    batch_size: int = 4
    augment: bool = False
    rescale: bool = False
    min_area_px: int = 0
    runtime: str = "tensorflow"


@dataclass(frozen=True)
class Segmenter:
    """A model version that is loaded."""

    version: ModelVersion
    predict_fn: PredictFn

    @property
    def card(self) -> ModelCard:
        """The card of the version."""
        return self.version.card


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A prediction, and what the user should know about it.

    Attributes:
        prediction: (H, W) maps as the model gives them.
        class_map: (H, W) without the specks.
        warnings: One sentence each.
    """

    prediction: Prediction
    class_map: ClassMap
    warnings: tuple[str, ...]


def load_segmenter(
    reference: str, registry_root: Path | None = None, *, runtime: str = "tensorflow"
) -> Segmenter:
    """Load a model version.

    Args:
        reference: "name", "name@3" or "name@alias".
        registry_root: Folder of the registry; None takes the default.
        runtime: The engine, see `load_runtime`.

    Raises:
        RegistryError: When there is no such version or it is damaged.
    """
    from defectkeras.registry.runtimes import load_runtime

    version = ModelRegistry(registry_root).resolve(reference)
    return Segmenter(version, load_runtime(version, runtime))


def segment(
    segmenter: Segmenter,
    micrograph: Micrograph,
    settings: SegmentSettings,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> Segmentation:
    """Segment a micrograph.

    Args:
        segmenter: A loaded model version.
        micrograph: (H, W) raw grey levels.
        settings: How.
        on_progress: Called with the tiles done and the tiles of all.

    Raises:
        ModelError: When the model's card does not tell what is needed.
        CalibrationError: When `rescale` is set and the pixel size is not known.
    """
    card = segmenter.card
    warning = check_pixel_size(micrograph.calibration, card.pixel_size_range_nm)
    target_nm = None
    if settings.rescale:
        size_nm = micrograph.calibration.require_pixel_size_nm()
        target_nm = _nearest_pixel_size(size_nm, card)
        warning = warning and (
            f"Resampled from {size_nm:.4g} to {target_nm:.4g} nm for the model, since "
            "it has not learned from the pixel size of the micrograph."
        )
    prediction = predict_micrograph(
        segmenter.predict_fn,
        micrograph,
        num_classes=card.scheme.num_classes,
        tiling=tiling_for(card, settings),
        augment=settings.augment,
        thresholds=card.threshold_values(),
        target_pixel_size_nm=target_nm,
        on_progress=on_progress,
    )
    return Segmentation(
        prediction,
        remove_small_objects(prediction.class_map, settings.min_area_px),
        () if warning is None else (warning,),
    )


def tiling_for(card: ModelCard, settings: SegmentSettings) -> Tiling:
    """Give tiles whose halo fits the model's receptive field."""
    return Tiling(
        tile_size=settings.tile_size,
        halo=choose_halo(card.receptive_field_px, settings.tile_size),
        batch_size=settings.batch_size,
        stride=card.stride,
    )


def _nearest_pixel_size(size_nm: float, card: ModelCard) -> float:
    if card.pixel_size_range_nm is None:
        raise ModelError(
            f"The card of {card.name} must tell the pixel sizes that it has learned "
            "from, and has none. Leave out --rescale."
        )
    return float(np.clip(size_nm, *card.pixel_size_range_nm))
