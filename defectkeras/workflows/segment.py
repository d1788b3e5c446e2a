"""A model version of the registry, asked about micrographs."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from defectkeras.core.arrays import ClassMap, Image, PredictFn
from defectkeras.core.errors import ModelError, ServingError
from defectkeras.core.labels import LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.prediction.applicability import Applicability
from defectkeras.prediction.bands import Prediction, combine_variants, predict_bands
from defectkeras.prediction.domain import check_pixel_size
from defectkeras.prediction.postprocess import remove_small_objects
from defectkeras.prediction.predict import predict_micrograph
from defectkeras.prediction.tiling import Tiling, choose_halo
from defectkeras.registry.card import ModelCard
from defectkeras.registry.store import ModelRegistry, ModelVersion
from defectkeras.workflows.trust.applicability import compare_with_training

Spread: TypeAlias = Literal["none", "members", "dropout"]

SERVING = "serving"
"""The runtime that is a server."""


@dataclass(frozen=True)
class SegmentSettings:
    """How micrographs are segmented.

    Attributes:
        tile_size: Largest side of a tile in px.
        batch_size: Tiles that the network takes at once.
        augment: Whether to average over the views that the model has learned from;
            None does what its card says.
        rescale: Whether to resample a micrograph whose pixel size the model has
            not learned from to the nearest one that it has.
        min_area_px: Connected pixels of one class become matrix when they are
            fewer.
        runtime: The engine, "tensorflow" or one that the version was converted for, or
            "serving" for a server.
        spread: What the error of the model is taken from beside the views of
            `augment`: "members" of an ensemble, or passes with "dropout".
        url: Of the server, such as "grpc://127.0.0.1:8500"; for "serving" only.
        classes_only: Whether the server gets the micrograph whole, in integers where
            it has some, and gives class indices alone; of `analyze` only.
    """

    tile_size: int = 512
    batch_size: int = 4
    augment: bool | None = None
    rescale: bool = False
    min_area_px: int = 0
    runtime: str = "tensorflow"
    spread: Spread = "none"
    url: str | None = None
    classes_only: bool = False

    def has_views_of(self, card: ModelCard) -> bool:
        """Say whether it averages the views that the statistics of a card are of."""
        return self.augment in (None, card.augment)


@dataclass(frozen=True)
class Segmenter:
    """A model version that is loaded.

    Attributes:
        version: The version.
        predict_fn: What it predicts.
        variants: What its members or its passes with dropout predict, one by one.
    """

    version: ModelVersion
    predict_fn: PredictFn
    variants: tuple[PredictFn, ...] = ()

    @property
    def card(self) -> ModelCard:
        """The card of the version."""
        return self.version.card

    @property
    def scheme(self) -> LabelScheme:
        """The classes that it tells apart."""
        return self.card.scheme

    @property
    def sha256(self) -> str:
        """The SHA-256 of the version."""
        return self.version.sha256


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A prediction, and what the user should know about it.

    Attributes:
        prediction: (H, W) maps as the model gives them.
        class_map: (H, W) without the specks.
        warnings: One sentence each.
        other_class_maps: (H, W) each without the specks, of the variants of the
            model when there are any, else of the views; their spread is the error
            of the model.
        applicability: How far the micrograph is from those that the model has
            learned from; None when the card has nothing to compare with.
    """

    prediction: Prediction
    class_map: ClassMap
    warnings: tuple[str, ...]
    other_class_maps: tuple[ClassMap, ...] = ()
    applicability: Applicability | None = None


def load_segmenter(
    reference: str,
    registry_root: Path | None = None,
    *,
    runtime: str = "tensorflow",
    spread: Spread = "none",
    url: str | None = None,
) -> Segmenter:
    """Load a model version.

    Args:
        reference: "name", "name@3" or "name@alias".
        registry_root: Folder of the registry; None takes the default.
        runtime: The engine, see `load_runtime`, or "serving" to let a server predict;
            the card is that of the registry here.
        spread: Which variants are loaded as well.
        url: Of the server, for "serving" only. A token that it wants to see is taken
            from the variable DEFECTKERAS_TOKEN.

    Raises:
        RegistryError: When there is no such version or it is damaged.
        ModelError: When it has no such variants.
        ServingError: When runtime and URL do not fit together.
    """
    version = ModelRegistry(registry_root).resolve(reference)
    if (runtime == SERVING) != (url is not None):
        raise ServingError(
            f"The runtime {SERVING} and the URL of a server go together. Received: "
            f"{runtime}, {url}. Give --runtime serving --url grpc://127.0.0.1:8500."
        )
    predict_fn = _engine(version, runtime, url)
    if spread == "none":
        return Segmenter(version, predict_fn)
    from defectkeras.registry.variants import load_variants

    return Segmenter(version, predict_fn, load_variants(version, spread))


def _engine(version: ModelVersion, runtime: str, url: str | None) -> PredictFn:
    """Give what predicts: a server where there is a URL, else an engine here."""
    if url is None:
        from defectkeras.registry.engines.runtimes import load_runtime

        return load_runtime(version, runtime)
    from defectkeras.serving.packages import require_packages

    require_packages()
    from defectkeras.serving.client import remote_predict_fn

    return remote_predict_fn(version, url, token=os.environ.get("DEFECTKERAS_TOKEN"))


def segment(
    segmenter: Segmenter, micrograph: Micrograph, settings: SegmentSettings
) -> Segmentation:
    """Segment a micrograph.

    Args:
        segmenter: A loaded model version.
        micrograph: (H, W) raw grey levels.
        settings: How.

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
    predict = partial(
        predict_micrograph,
        micrograph=micrograph,
        num_classes=card.scheme.num_classes,
        tiling=tiling_for(card, settings),
        symmetries=card.views(settings.augment),
        thresholds=card.threshold_values(),
        target_pixel_size_nm=target_nm,
    )
    prediction = predict(segmenter.predict_fn)
    others: Sequence[ClassMap] = prediction.view_class_maps
    if segmenter.variants:
        others, uncertainty = combine_variants(
            predict(variant) for variant in segmenter.variants
        )
        prediction = replace(prediction, uncertainty=uncertainty)
    applicability = compare_with_training(
        card,
        micrograph,
        prediction.probability_map if settings.has_views_of(card) else None,
        target_pixel_size_nm=target_nm,
    )
    warnings = (warning, applicability.warning if applicability else None)
    return Segmentation(
        prediction,
        remove_small_objects(prediction.class_map, settings.min_area_px),
        tuple(w for w in warnings if w is not None),
        tuple(remove_small_objects(o, settings.min_area_px) for o in others),
        applicability,
    )


def segment_bands(
    segmenter: Segmenter,
    read_rows: Callable[[int, int], Image],
    shape: tuple[int, int],
    settings: SegmentSettings,
) -> Iterator[Prediction]:
    """Segment a montage, some rows after the other, with its specks.

    Args:
        segmenter: A loaded model version.
        read_rows: First row and the row after the last to these rows, (h, W),
            normalized as the whole.
        shape: (H, W) of the montage.
        settings: How; `rescale` and `min_area_px` are not looked at.

    Yields:
        Of rows that follow each other the prediction, its uncertainty and its
        `view_class_maps` those of the variants of the model when there are any.
    """
    card = segmenter.card
    streams = [
        predict_bands(
            predict_fn,
            read_rows,
            shape,
            num_classes=card.scheme.num_classes,
            tiling=tiling_for(card, settings),
            symmetries=card.views(settings.augment),
            thresholds=card.threshold_values(),
        )
        for predict_fn in (segmenter.predict_fn, *segmenter.variants)
    ]
    for (_, prediction), *others in zip(*streams, strict=True):
        if not others:
            yield prediction
            continue
        class_maps, uncertainty = combine_variants(other for _, other in others)
        yield replace(
            prediction, uncertainty=uncertainty, view_class_maps=tuple(class_maps)
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
