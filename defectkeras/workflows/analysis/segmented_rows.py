"""A montage segmented into files: maps larger than memory.

They take 6 bytes for each pixel, 10 with an uncertainty, and one more for each view or
variant of the model.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from defectkeras.core.arrays import ReadRows
from defectkeras.core.errors import MicrographError
from defectkeras.core.row_file import RowFile
from defectkeras.prediction.descriptors import relative_entropy
from defectkeras.prediction.postprocess import remove_small_objects
from defectkeras.quantification.row_maps import RowMaps
from defectkeras.workflows.segment import Segmenter, SegmentSettings, segment_bands


@dataclass(frozen=True, eq=False)
class SegmentedRows:
    """The files of a segmentation.

    Attributes:
        classes: (H, W) class indices without specks.
        probability: (H, W) of the class that a pixel has.
        uncertainty: (H, W) of the probabilities, or None.
        entropy: (H / 2, W / 2) how undecided the network is.
        others: (H, W) class indices of each view or variant of the model.
    """

    classes: RowFile
    probability: RowFile
    uncertainty: RowFile | None
    entropy: RowFile
    others: tuple[RowFile, ...]


def segment_into_files(
    segmenter: Segmenter,
    read_image: ReadRows,
    whole: RowMaps,
    settings: SegmentSettings,
    folder: Path,
) -> SegmentedRows:
    """Predict all rows into files.

    Args:
        segmenter: A loaded model version.
        read_image: Some rows, normalized as the whole.
        whole: Its shape and bands.
        settings: How; `rescale` is not looked at.
        folder: For the files.

    Raises:
        MicrographError: When there are more classes than a byte can number.
    """
    shape = whole.shape
    if segmenter.card.scheme.num_classes > np.iinfo(np.uint8).max:
        raise MicrographError("A montage must have at most 255 classes.")
    classes = RowFile(folder / "classes", shape, np.uint8)
    probability = RowFile(folder / "probability", shape, np.float32)
    uncertainty = RowFile(folder / "uncertainty", shape, np.float32)
    halved = (-(-shape[0] // 2), -(-shape[1] // 2))
    entropy = RowFile(folder / "entropy", halved, np.float32)
    others: tuple[RowFile, ...] = ()
    first_row = 0
    has_spread = False
    for part in segment_bands(segmenter, read_image, shape, settings):
        own = np.take_along_axis(
            part.probability_map, part.class_map[..., np.newaxis], axis=-1
        )
        classes.append(part.class_map)
        probability.append(own[..., 0])
        entropy.append(relative_entropy(part.probability_map[first_row % 2 :]))
        first_row += len(part.class_map)
        if part.uncertainty is not None:
            has_spread = True
            uncertainty.append(part.uncertainty)
        others = others or tuple(
            RowFile(folder / f"other_{n}", shape, np.uint8)
            for n in range(len(part.view_class_maps))
        )
        for file, class_map in zip(others, part.view_class_maps, strict=True):
            file.append(class_map)
    return SegmentedRows(
        _without_specks(classes, whole, settings),
        probability,
        uncertainty if has_spread else None,
        entropy,
        tuple(_without_specks(other, whole, settings) for other in others),
    )


def _without_specks(
    classes: RowFile, whole: RowMaps, settings: SegmentSettings
) -> RowFile:
    """Give a class map without specks.

    A speck has fewer rows than pixels, so that the rows around tell whether it is one.
    """
    least_px = settings.min_area_px
    if least_px < 2:
        return classes
    name = f"{classes.path.name}_cleaned"
    cleaned = RowFile(classes.path.with_name(name), classes.shape, np.uint8)
    for band in whole.bands(least_px):
        rows = classes.read(band.first_known, band.stop_known).astype(np.int32)
        cleaned.append(remove_small_objects(rows, least_px)[band.inner])
    classes.path.unlink()
    return cleaned
