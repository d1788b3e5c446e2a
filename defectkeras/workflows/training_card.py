"""The card of a trained model: what it was trained on, how, and how well."""

import dataclasses
from typing import TYPE_CHECKING, Any

from defectkeras.datasets.fingerprint import fingerprint_examples
from defectkeras.datasets.spec import DatasetSpec, Example, load_micrograph
from defectkeras.prediction.tiling import choose_halo
from defectkeras.registry.card import ModelCard
from defectkeras.workflows.segment import SegmentSettings
from defectkeras.workflows.training_request import TrainingRequest
from defectkeras.workflows.trust.learn import Trust

if TYPE_CHECKING:
    import keras

    from defectkeras.training.config import TrainingConfig
    from defectkeras.training.train import TrainingRun


def num_maps(spec: DatasetSpec) -> int:
    """Give one sigmoid map for one defect class, else a softmax over all."""
    classes = spec.scheme.num_classes
    return 1 if classes == 2 else classes


def pixel_size_range(
    examples: tuple[Example, ...], config: "TrainingConfig"
) -> tuple[float, float] | None:
    """Give the pixel sizes that are seen, the scale augmentation included, in nm.

    Micrographs that are resampled all have the same one.

    Args:
        examples: Those to train on.
        config: The settings.

    Returns:
        Smallest and largest, or None when one is not known.
    """
    target_nm = config.target_pixel_size_nm
    sizes_nm = [target_nm]
    if target_nm is None:
        sizes_nm = [load_micrograph(e).calibration.pixel_size_nm for e in examples]
    known = [size for size in sizes_nm if size is not None]
    if len(known) < len(sizes_nm):
        return None
    smallest, largest = config.augmentation.scale_range
    return _round(min(known) / largest), _round(max(known) / smallest)


def _round(size_nm: float) -> float:
    """Keep nine digits: 0.7 / 1.25 is 0.56, and no 0.5599999999999999."""
    return float(f"{size_nm:.9g}")


def validation_scores(run: "TrainingRun", epoch: int | None = None) -> dict[str, Any]:
    """Give the scores of a run on its validation split.

    Args:
        run: Finished.
        epoch: From 1; None takes the best.
    """
    best = run.history[(epoch or run.best_epoch) - 1]
    return {name: score for name, score in best.items() if name.startswith("val_")}


def make_card(  # noqa: PLR0913  (what, on what, how, how well; each is told)
    request: TrainingRequest,
    spec: DatasetSpec,
    config: "TrainingConfig",
    *,
    name: str,
    model: "keras.Model",
    pixel_size_range_nm: tuple[float, float] | None,
    split: dict[str, Any],
    metrics: dict[str, Any],
    trust: Trust,
) -> ModelCard:
    """Tell all that is known of a trained model.

    Args:
        request: What was trained.
        spec: On what.
        config: How.
        name: In the registry.
        model: The trained model, or one of those that were joined.
        pixel_size_range_nm: That it has seen.
        split: Names of the examples by what they served for.
        metrics: How well it does, and on what.
        trust: When it is to be trusted.
    """
    from defectkeras.models.build import describe_architecture
    from defectkeras.training.environment import describe_environment

    facts = describe_architecture(model)
    defects = ", ".join(c.name for c in spec.scheme.defects)
    return ModelCard(
        name=name,
        description=request.description
        or f"{request.architecture} for {defects}, trained on {spec.name}",
        architecture=request.architecture,
        arguments={"num_classes": num_maps(spec), **request.arguments},
        scheme=spec.scheme,
        stride=facts.stride,
        receptive_field_px=facts.receptive_field_px,
        pixel_size_range_nm=pixel_size_range_nm,
        dataset_name=spec.name,
        dataset_fingerprint=fingerprint_examples(spec.examples),
        split=split,
        license="Apache-2.0",
        attribution=f"{spec.source} ({spec.license})",
        config=dataclasses.asdict(config),
        metrics={**metrics, **trust.metrics},
        thresholds=trust.thresholds,
        augment=config.augment_predictions,
        symmetries=config.augmentation.symmetries,
        applicability=trust.applicability,
        environment=describe_environment(),
        parent=request.parent,
        intended_use=f"Segmentation of {defects} in micrographs like those of "
        f"{spec.name}: {spec.description}",
        limits=_limits(request, config, facts.receptive_field_px),
    )


def _limits(
    request: TrainingRequest, config: "TrainingConfig", receptive_field_px: int | None
) -> str:
    """Say what the user says or what is always true, and what the scores are of."""
    limits = request.limits or _usual_limits(receptive_field_px)
    if not config.refit:
        return limits
    learned, those = (
        ("all folds", f"{request.folds} networks, each on what it had not seen")
        if request.folds
        else ("the validation split, too", "the same training without it")
    )
    return (
        f"{limits.rstrip()} It has learned from {learned}; its scores are those of "
        f"{those}."
    )


def _usual_limits(receptive_field_px: int | None) -> str:
    """Say what is always true, and whether the tiling can show in the results."""
    limits = (
        "Known to work on nothing but the validation split of its data spec. "
        "Check the overlays of each new material, microscope and magnification."
    )
    tile_size = SegmentSettings().tile_size
    halo = choose_halo(receptive_field_px, tile_size)
    if receptive_field_px is not None and receptive_field_px // 2 <= halo:
        return limits
    return (
        f"{limits} The network looks farther than the halo of a tile ({halo} px for "
        f"{tile_size} px), so that its results depend a little on the tile size "
        "(docs/prediction.md)."
    )
