"""A version for another engine, compared with Keras on real micrographs."""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from defectkeras.core.arrays import PredictFn
from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import RegistryError
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import load_dataset_spec, load_example
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.prediction.predict import Prediction
from defectkeras.quantification.errors import compare_quantities
from defectkeras.quantification.quantify import quantify
from defectkeras.registry.engines.conversions import conversions_of, note_parity
from defectkeras.registry.engines.convert import convert_version
from defectkeras.registry.engines.runtimes import COARSE, RUNTIMES, load_runtime
from defectkeras.registry.golden import read_golden
from defectkeras.registry.load import keras_predict_fn, load_model, load_predict_fn
from defectkeras.registry.rounding import in_float64, limit_of
from defectkeras.registry.store import ModelRegistry, ModelVersion
from defectkeras.workflows.segment import Segmenter, SegmentSettings, segment

_CALIBRATION_TILES = 32
_TILE_SIZE = 256


@dataclass(frozen=True)
class Parity:
    """How far an engine is off from the Keras model computed in float64.

    Attributes:
        runtime: The engine; "keras" is the model itself in its own precision, and
            "tensorflow" the SavedModel.
        micrographs: Number of micrographs.
        largest_difference: Of any probability of any pixel.
        mean_difference: Over all probabilities of all pixels.
        class_agreement: Part of the pixels that get the same class.
        largest_quantity_error: Of any density or mean size, as a part of the value
            in float64; None where there is none.
        seconds_per_megapixel: The shortest of the micrographs.
    """

    runtime: str
    micrographs: int
    largest_difference: float
    mean_difference: float
    class_agreement: float
    largest_quantity_error: float | None
    seconds_per_megapixel: float


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
    """Convert a version and compare every engine that reads the result with Keras.

    Args:
        reference: "name", "name@3" or "name@alias".
        form: "onnx", "openvino", "litert" or "litert_int8".
        spec_path: Data spec with micrographs to compare on, and for int8 to choose
            the steps by; None compares on the golden's image alone.
        split: Part of the data spec to compare on; int8 is calibrated on "train".
        root: Folder of the micrographs, in place of that of the data spec.
        registry_root: Folder of the registry; None takes the default.
        replace: Whether an older conversion gives way.
        on_progress: Called with the micrographs done and those of all.

    Returns:
        The folder of the conversion, and a parity for each engine; it is noted in
        the conversion's record.

    Raises:
        RegistryError: When it cannot be converted, or an engine in float32 is off by
            more than rounding explains; the conversion is taken away then, as it is
            when the comparison is interrupted.
        DatasetError: When the split is empty.
    """
    version = ModelRegistry(registry_root).resolve(reference)
    micrographs = [Micrograph(read_golden(version.path).image, Calibration(), "golden")]
    tiles: list[np.ndarray[Any, np.dtype[np.float32]]] = []
    if spec_path is not None:
        micrographs = _micrographs(spec_path, split, root)
        if form == "litert_int8":
            tiles = _draw_tiles(_micrographs(spec_path, "train", root), version)
    folder = convert_version(version, form, calibration_tiles=tiles, replace=replace)
    engines = [name for name, (read, *_) in RUNTIMES.items() if read == form]
    try:
        parities = compare_runtimes(
            version, engines, micrographs, on_progress=on_progress
        )
        _require_rounding_alone(version, parities)
    except BaseException:  # Ctrl-C too: what was not compared must not be used
        shutil.rmtree(folder)
        raise
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
        runtimes: Names of engines; none takes all that there is a conversion for,
            and without one Keras is held against the SavedModel alone.
        split: Part of the data spec.
        root: Folder of the micrographs, in place of that of the data spec.
        registry_root: Folder of the registry; None takes the default.
        on_progress: Called with the micrographs done and those of all.

    Raises:
        RegistryError: When there is no conversion for an engine that is named.
        DatasetError: When the split is empty.
    """
    version = ModelRegistry(registry_root).resolve(reference)
    forms = conversions_of(version)
    wanted = runtimes or [n for n, (form, *_) in RUNTIMES.items() if form in forms]
    micrographs = _micrographs(spec_path, split, root)
    return compare_runtimes(version, wanted, micrographs, on_progress=on_progress)


def compare_runtimes(
    version: ModelVersion,
    runtimes: Sequence[str],
    micrographs: Sequence[Micrograph],
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[Parity, ...]:
    """Segment micrographs by Keras, TensorFlow and other engines in turn.

    Args:
        version: Converted for each engine.
        runtimes: Names of engines.
        micrographs: At least one.
        on_progress: Called with the micrographs done and those of all.

    Returns:
        One parity for each engine: "keras", "tensorflow", and those given.
    """
    model = load_model(version)
    exact = keras_predict_fn(in_float64(model))
    engines = {"keras": keras_predict_fn(model), "tensorflow": load_predict_fn(version)}
    engines |= {name: load_runtime(version, name) for name in runtimes}
    rows: list[dict[str, Any]] = []
    for number, micrograph in enumerate(micrographs):
        expected, _ = _segment(version, exact, micrograph, times=1)
        for name, engine in engines.items():
            found, seconds = _segment(version, engine, micrograph, times=2)
            differences = _differences(version, micrograph, expected, found)
            rows.append({"runtime": name, "seconds": seconds, **differences})
        if on_progress is not None:
            on_progress(number + 1, len(micrographs))
    table = pd.DataFrame(rows)
    return tuple(_parity(name, table[table["runtime"] == name]) for name in engines)


def _segment(
    version: ModelVersion, predict_fn: PredictFn, micrograph: Micrograph, *, times: int
) -> tuple[Prediction, float]:
    """Segment a micrograph; give the result and the shortest time per megapixel.

    The first time may include the building of a graph for a new size.
    """
    segmenter, settings = Segmenter(version, predict_fn), SegmentSettings()
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        found = segment(segmenter, micrograph, settings)
        seconds.append(time.perf_counter() - start)
    return found.prediction, min(seconds) * 1e6 / micrograph.pixels.size


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
    differences = np.abs(expected.probability_map - found.probability_map)
    return {
        "largest_difference": differences.max(),
        "mean_difference": differences.mean(),
        "agreement": (expected.class_map == found.class_map).mean(),
        "quantity_error": errors.max() if len(errors) else None,
    }


def _parity(runtime: str, rows: pd.DataFrame) -> Parity:
    errors = rows["quantity_error"].dropna()
    return Parity(
        runtime=runtime,
        micrographs=len(rows),
        largest_difference=float(rows["largest_difference"].max()),
        mean_difference=float(rows["mean_difference"].mean()),
        class_agreement=float(rows["agreement"].mean()),
        largest_quantity_error=float(errors.max()) if len(errors) else None,
        seconds_per_megapixel=float(rows["seconds"].min()),
    )


def _require_rounding_alone(version: ModelVersion, parities: Sequence[Parity]) -> None:
    """Refuse an engine in float32 that is further off than Keras explains."""
    off = {p.runtime: p.largest_difference for p in parities}
    limit = limit_of(off["keras"])
    for runtime in off.keys() - COARSE:
        if not off[runtime] <= limit:
            raise RegistryError(
                f"{version.reference} by {runtime} must be within {limit:.1e} of "
                f"float64 in probability, and is off by {off[runtime]:.1e} (Keras: "
                f"{off['keras']:.1e}). It was taken away; use another --to."
            )


def _as_dict(parity: Parity) -> dict[str, Any]:
    return {k: v for k, v in vars(parity).items() if k != "runtime"}


def _micrographs(spec_path: Path, split: str, root: Path | None) -> list[Micrograph]:
    spec = load_dataset_spec(spec_path, root=root)
    examples = spec.require_split(split)
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
