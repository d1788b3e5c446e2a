"""What a card keeps of its training micrographs, and others compared with it."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from defectkeras.core.arrays import (
    NOT_ANNOTATED,
    ClassMap,
    Image,
    ProbabilityMap,
    ReadRows,
)
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import Example, LoadedExample, load_micrograph
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.micrographs.resize import resize_to_pixel_size
from defectkeras.prediction.applicability import (
    Applicability,
    Described,
    Reference,
    compare,
    cut_in_quarters,
    describe_image,
    describe_probabilities,
    fit_reference,
    read_references,
)
from defectkeras.prediction.descriptors import describe_entropy, gather_patches
from defectkeras.registry.card import ModelCard
from defectkeras.workflows.trust.thresholds import Predict

Entry = TypeVar("Entry")

MOST_MICROGRAPHS = 64
"""Of more than these every second or third is looked at, evenly over all."""


def learn_references(
    examples: Sequence[Example],
    unseen: Sequence[LoadedExample] = (),
    predict: Predict | None = None,
    *,
    target_pixel_size_nm: float | None = None,
) -> dict[str, Any]:
    """Learn how the micrographs of a model look, and how sure it is of them.

    Args:
        examples: All that the model was made with; each micrograph counts once.
        unseen: Those of the validation split. Certainty is learned from the part of
            each that is annotated, and from nothing else, since a network is surer of
            what it was trained on: that may be the rest of the same micrograph.
        predict: Micrograph to probabilities; None leaves the certainty out.
        target_pixel_size_nm: To which they are resampled.

    Returns:
        For the card: kind of descriptor to its `Reference` as a table.
    """
    # A field of which a quarter is for validation is an example of both splits.
    chosen = _evenly(list({e.micrograph_path: e for e in examples}.values()))
    images = (_as_seen(load_micrograph(e), target_pixel_size_nm) for e in chosen)
    found = _learn(images, len(chosen), describe_image)
    if predict is not None:
        asked = _evenly([e for e in unseen if (e.class_map != NOT_ANNOTATED).any()])
        maps = (cut_annotated(predict(e.micrograph), e.class_map) for e in asked)
        found |= _learn(maps, len(asked), describe_probabilities)
    return {kind: dataclasses.asdict(reference) for kind, reference in found.items()}


def cut_annotated(whole: NDArray[Any], class_map: ClassMap) -> NDArray[Any]:
    """Give the smallest rectangle that holds all that is annotated.

    Args:
        whole: (H, W, ...).
        class_map: (H, W), some of it annotated.

    Example:
        >>> class_map = np.full((4, 8), NOT_ANNOTATED)
        >>> class_map[1:3, 6:] = 0
        >>> cut_annotated(np.zeros((4, 8, 2)), class_map).shape
        (2, 2, 2)
    """
    (box,) = find_objects((class_map != NOT_ANNOTATED).astype(np.int32))
    return whole[box]


def _learn(
    wholes: Iterable[NDArray[Any]],
    count: int,
    describe: Callable[[NDArray[Any]], Described],
) -> dict[str, Reference]:
    """Learn from so many images or probability maps; a single one goes in quarters."""
    parts = (q for whole in wholes for q in cut_in_quarters(whole))
    described = [describe(part) for part in (parts if count == 1 else wholes)]
    kinds = described[0] if described else ()
    return {
        kind: fit_reference([d[kind] for d in described], of_one=count == 1)
        for kind in kinds
    }


def compare_with_training(
    card: ModelCard,
    micrograph: Micrograph,
    probability_map: ProbabilityMap | None,
    *,
    target_pixel_size_nm: float | None = None,
) -> Applicability | None:
    """Compare a micrograph with those that a model has learned from.

    Args:
        card: Of the model.
        micrograph: (H, W) raw grey levels.
        probability_map: (H, W, K) that the model gives for it; None leaves certainty
            out, as where it is not of the views that the card's is of.
        target_pixel_size_nm: To which the micrograph was resampled for the model.

    Returns:
        How far it is from them; None when the card has nothing to compare with.
    """
    references = _references(card)
    if not references:
        return None
    image = _as_seen(micrograph, target_pixel_size_nm)
    described = describe_image(image)
    if probability_map is not None:
        described = {**described, **describe_probabilities(probability_map)}
    return compare(described, references)


def compare_montage(
    card: ModelCard,
    shape: tuple[int, int],
    read_image: ReadRows,
    read_entropy: ReadRows | None,
) -> Applicability | None:
    """Compare a montage by the same patches as a micrograph.

    Args:
        card: Of the model.
        shape: (H, W) of the montage.
        read_image: Some of its rows, normalized as the whole.
        read_entropy: Some rows of its `relative_entropy`, (H / 2, W / 2), or None.

    Returns:
        As `compare_with_training` of the whole.
    """
    references = _references(card)
    if not references:
        return None
    described = describe_image(gather_patches(read_image, shape))
    if read_entropy is not None:
        halved = (-(-shape[0] // 2), -(-shape[1] // 2))
        entropy = describe_entropy(gather_patches(read_entropy, halved))
        described = {**described, "certainty": entropy}
    return compare(described, references)


def _references(card: ModelCard) -> dict[str, Reference]:
    """Read the references of a card."""
    return read_references(card.applicability, where=f"card of {card.name}")


def _as_seen(micrograph: Micrograph, pixel_size_nm: float | None) -> Image:
    """Give (H, W) as the network sees it."""
    if pixel_size_nm is not None:
        micrograph = resize_to_pixel_size(micrograph, pixel_size_nm)
    return normalize_percentile(micrograph.pixels)


def _evenly(entries: Sequence[Entry]) -> list[Entry]:
    """Give at most `MOST_MICROGRAPHS` of them."""
    return list(entries[:: -(-len(entries) // MOST_MICROGRAPHS) or 1])
