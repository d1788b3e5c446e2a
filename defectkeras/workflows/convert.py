"""A version for another engine, compared with TensorFlow on real micrographs."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from defectkeras.core.arrays import PredictFn
from defectkeras.core.errors import DatasetError, RegistryError
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import load_dataset_spec, load_example
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.prediction.predict import Prediction
from defectkeras.quantification.errors import compare_quantities
from defectkeras.quantification.quantify import quantify
from defectkeras.registry.conversions import conversions_of, note_parity
from defectkeras.registry.convert import convert_version
from defectkeras.registry.load import load_predict_fn
from defectkeras.registry.runtimes import RUNTIMES, load_runtime
from defectkeras.registry.store import ModelRegistry, ModelVersion
from defectkeras.workflows.segment import Segmenter, SegmentSettings, segment

_CALIBRATION_TILES = 32
_TILE_SIZE = 256


@dataclass(frozen=True)
class Parity:
    """How far an engine is off from TensorFlow on the same micrographs.

    Attributes:
        runtime: The engine.
        micrographs: Number of micrographs.
        largest_difference: Of any probability of any pixel.
        class_agreement: Part of the pixels that get the same class.
        largest_quantity_error: Of any density or mean size, as a part of
            TensorFlow's value; None where there is none.
        seconds_per_megapixel: Of the engine, the shortest of the micrographs.
        tensorflow_seconds_per_megapixel: Of TensorFlow on the same micrographs.
    """

    runtime: str
    micrographs: int
    largest_difference: float
    class_agreement: float
    largest_quantity_error: float | None
    seconds_per_megapixel: float
    tensorflow_seconds_per_megapixel: float


def convert(
    reference: str,
    form: str,
    *,
    spec_path: Path | None = None,
    split: str = "val",
    root: Path | None = None,
    registry_root: Path | None = None,
    replace: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[Path, tuple[Parity, ...]]:
    """Convert a version and compare every engine that reads the result.

    Args:
        reference: "name", "name@3" or "name@alias".
        form: "onnx", "openvino", "litert" or "litert_int8".
        spec_path: Data spec with micrographs to compare on, and for int8 to choose
            the steps by; None compares on nothing.
        split: Part of the data spec to compare on; int8 is calibrated on "train".
        root: Folder of the micrographs, in place of that of the data spec.
        registry_root: Folder of the registry; None takes the default.
        replace: Whether an older conversion gives way.
        on_progress: Called with the micrographs done and those of all.

    Returns:
        The folder of the conversion, and a parity for each engine; it is noted in
        the conversion's record.

    Raises:
        RegistryError: When it cannot be converted.
        DatasetError: When the split is empty.
    """
    version = ModelRegistry(registry_root).resolve(reference)
    micrographs, tiles = [], []
    if spec_path is not None:
        micrographs = _micrographs(spec_path, split, root)
        if form == "litert_int8":
            tiles = _draw_tiles(_micrographs(spec_path, "train", root), version)
    folder = convert_version(version, form, calibration_tiles=tiles, replace=replace)
    if not micrographs:
        return folder, ()
    engines = [name for name, (read, *_) in RUNTIMES.items() if read == form]
    parities = compare_runtimes(version, engines, micrographs, on_progress=on_progress)
    note_parity(folder, {p.runtime: _as_dict(p) for p in parities})
    return folder, parities


def compare_on_spec(
    reference: str,
    spec_path: Path,
    *,
    runtimes: Sequence[str] = (),
    split: str = "val",
    root: Path | None = None,
    registry_root: Path | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[Parity, ...]:
    """Compare engines on the micrographs of a data spec.

    Args:
        reference: "name", "name@3" or "name@alias".
        spec_path: The data spec.
        runtimes: Names of engines; none takes all that there is a conversion for.
        split: Part of the data spec.
        root: Folder of the micrographs, in place of that of the data spec.
        registry_root: Folder of the registry; None takes the default.
        on_progress: Called with the micrographs done and those of all.

    Raises:
        RegistryError: When there is no conversion.
        DatasetError: When the split is empty.
    """
    version = ModelRegistry(registry_root).resolve(reference)
    forms = conversions_of(version)
    wanted = runtimes or [n for n, (form, *_) in RUNTIMES.items() if form in forms]
    if not wanted:
        raise RegistryError(
            f"{version.reference} must be converted before engines are compared. "
            f"Run defectkeras registry convert {version.reference} --to openvino."
        )
    micrographs = _micrographs(spec_path, split, root)
    return compare_runtimes(version, wanted, micrographs, on_progress=on_progress)


def compare_runtimes(
    version: ModelVersion,
    runtimes: Sequence[str],
    micrographs: Sequence[Micrograph],
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[Parity, ...]:
    """Segment micrographs by several engines in turn, and by TensorFlow.

    Args:
        version: Converted for each engine.
        runtimes: Names of engines.
        micrographs: At least one.
        on_progress: Called with the micrographs done and those of all.

    Returns:
        One parity for each engine, in the order given.
    """
    engines = {"tensorflow": load_predict_fn(version)}
    engines |= {name: load_runtime(version, name) for name in runtimes}
    rows: list[dict[str, Any]] = []
    for number, micrograph in enumerate(micrographs):
        timed = {name: _segment(version, e, micrograph) for name, e in engines.items()}
        expected, seconds = timed["tensorflow"]
        for name in runtimes:
            found, took = timed[name]
            rows.append(
                {
                    "runtime": name,
                    **_differences(version, micrograph, expected, found),
                    "seconds": took,
                    "tensorflow_seconds": seconds,
                }
            )
        if on_progress is not None:
            on_progress(number + 1, len(micrographs))
    table = pd.DataFrame(rows)
    return tuple(_parity(name, table[table["runtime"] == name]) for name in runtimes)


def _segment(
    version: ModelVersion, predict_fn: PredictFn, micrograph: Micrograph
) -> tuple[Prediction, float]:
    """Segment a micrograph twice; give the result and the shorter time per megapixel.

    The first time may include the building of a graph for a new size.
    """
    segmenter, settings = Segmenter(version, predict_fn), SegmentSettings()
    times = []
    for _ in range(2):
        start = time.perf_counter()
        found = segment(segmenter, micrograph, settings)
        times.append(time.perf_counter() - start)
    return found.prediction, min(times) * 1e6 / micrograph.pixels.size


def _differences(
    version: ModelVersion,
    micrograph: Micrograph,
    expected: Prediction,
    found: Prediction,
) -> dict[str, Any]:
    scheme, calibration = version.card.scheme, micrograph.calibration
    table = compare_quantities(
        quantify(expected.class_map, scheme, calibration),
        quantify(found.class_map, scheme, calibration),
    )
    kept = table["name"].str.contains("density|mean")
    errors = table.loc[kept, "relative_error"].abs().dropna()
    return {
        "difference": np.abs(expected.probability_map - found.probability_map).max(),
        "agreement": (expected.class_map == found.class_map).mean(),
        "quantity_error": errors.max() if len(errors) else None,
    }


def _parity(runtime: str, rows: pd.DataFrame) -> Parity:
    errors = rows["quantity_error"].dropna()
    return Parity(
        runtime=runtime,
        micrographs=len(rows),
        largest_difference=float(rows["difference"].max()),
        class_agreement=float(rows["agreement"].mean()),
        largest_quantity_error=float(errors.max()) if len(errors) else None,
        seconds_per_megapixel=float(rows["seconds"].min()),
        tensorflow_seconds_per_megapixel=float(rows["tensorflow_seconds"].min()),
    )


def _as_dict(parity: Parity) -> dict[str, Any]:
    return {k: v for k, v in vars(parity).items() if k != "runtime"}


def _micrographs(spec_path: Path, split: str, root: Path | None) -> list[Micrograph]:
    spec = load_dataset_spec(spec_path, root=root)
    examples = [e for e in spec.examples if e.split == split]
    if not examples:
        raise DatasetError(
            f'{spec_path}: the split "{split}" must have a micrograph. Received: none.'
        )
    return [load_example(e, spec.scheme).micrograph for e in examples]


def _draw_tiles(
    micrographs: Sequence[Micrograph], version: ModelVersion
) -> list[np.ndarray[Any, np.dtype[np.float32]]]:
    """Cut tiles (1, T, T, 1) from random places, some of each micrograph."""
    random, card = np.random.default_rng(0), version.card
    tiles = []
    for number in range(_CALIBRATION_TILES):
        pixels = micrographs[number % len(micrographs)].pixels
        image = normalize_percentile(
            pixels, low_percent=card.low_percent, high_percent=card.high_percent
        )
        side = min(_TILE_SIZE, *image.shape) // card.stride * card.stride
        row, column = (random.integers(0, size - side + 1) for size in image.shape)
        tile = image[row : row + side, column : column + side]
        tiles.append(np.ascontiguousarray(tile)[np.newaxis, :, :, np.newaxis])
    return tiles
