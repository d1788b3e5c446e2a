"""How many micrographs a minute each shipped model segments, by each engine.

    python benchmarks/shipped_speed.py [--model NAME] [--min-area-px 12] [--json FILE]

Of each model the micrograph is its golden image, mirrored to about a megapixel, so that
no data is needed; in one view, for eight take eight times as long with any engine. All
engines take turns in one run, and the best turn of each counts. Seconds of all cores
together say how much faster one is, since they hardly depend on what else the machine
does; a minute is that of a clock on the wall. "keras_predict" is the usual way:
`model.predict`, tile by tile. The others get the same tiles in batches. Their error is
that of any density or mean size against TensorFlow in float32; the fastest below 1 % is
named. The registry is copied, not changed.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from defectkeras.core.arrays import ClassMap, PredictFn
from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import RegistryError
from defectkeras.core.micrograph import Micrograph
from defectkeras.quantification.errors import compare_quantities
from defectkeras.quantification.quantify import quantify
from defectkeras.registry.engines.convert import convert_version
from defectkeras.registry.engines.runtimes import RUNTIMES, load_runtime
from defectkeras.registry.golden import prepare_tiles, read_golden
from defectkeras.registry.load import load_model, load_predict_fn
from defectkeras.registry.store import ModelRegistry, ModelVersion
from defectkeras.workflows.segment import Segmenter, SegmentSettings, segment

SHAPE_PX = (936, 1140)
CALIBRATION = Calibration(pixel_size_nm=1.0, foil_thickness_nm=100.0)  # for densities
FORMS = ("onnx", "openvino", "litert_int8")
ENGINES = [name for name, (form, *_) in RUNTIMES.items() if form in FORMS]
LARGEST_ERROR = 0.01
CALIBRATION_TILES = 8


@dataclass(frozen=True)
class Speed:
    """What one engine does with one model.

    Attributes:
        model: Reference of the version.
        engine: Its name.
        per_minute: Micrographs of `SHAPE_PX` that it segments in a minute.
        cpu_seconds: Of all cores together, for one micrograph.
        times_as_fast: As "keras_predict" in the same run, by these seconds.
        error: Largest relative error of a density or a mean size; NaN where the
            micrograph has none.
    """

    model: str
    engine: str
    per_minute: float
    cpu_seconds: float
    times_as_fast: float
    error: float


def main() -> None:
    """Measure every model and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--registry", type=Path, default=Path("saved_models"))
    parser.add_argument("--model", action="append", help="all without it; repeatable")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--min-area-px", type=int, default=0, help="as of analyze")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    speeds: list[Speed] = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(arguments.registry, Path(folder) / "registry"))
        registry = ModelRegistry(copy)
        for name in arguments.model or registry.names():
            version = registry.resolve(name)
            speeds += measure(version, arguments.turns, arguments.min_area_px)
            if arguments.json:  # a run that is stopped keeps what it has
                pd.DataFrame(speeds).to_json(arguments.json, orient="records", indent=2)
    show(speeds)


def measure(version: ModelVersion, turns: int, min_area_px: int) -> list[Speed]:
    """Let all engines segment the micrograph in turns."""
    engines = load_engines(version)
    micrograph = draw_micrograph(version)
    seconds = {name: np.full(2, np.inf) for name in engines}  # by the wall, of cores
    class_maps: dict[str, ClassMap] = {}
    for _ in range(turns + 1):  # the first builds the graphs
        for name, predict_fn in engines.items():
            # TensorFlow then computes convolutions in bfloat16 where it is safe.
            bf16 = {"auto_mixed_precision_onednn_bfloat16": name == "tensorflow_bf16"}
            tf.config.optimizer.set_experimental_options(bf16)
            one_by_one = name == "keras_predict"
            settings = SegmentSettings(
                batch_size=1 if one_by_one else 4,
                augment=False,
                min_area_px=min_area_px,
            )
            start = read_clocks()
            found = segment(Segmenter(version, predict_fn), micrograph, settings)
            if name in class_maps:
                seconds[name] = np.minimum(seconds[name], read_clocks() - start)
            class_maps[name] = found.class_map
    true = class_maps["tensorflow"]
    return [
        Speed(
            version.reference,
            name,
            60 / wall,
            cores,
            seconds["keras_predict"][1] / cores,
            density_error(version, true, class_maps[name]),
        )
        for name, (wall, cores) in seconds.items()
    ]


def read_clocks() -> NDArray[np.float64]:
    """Give seconds on the wall, and of all cores together."""
    return np.array([time.perf_counter(), time.process_time()])


def load_engines(version: ModelVersion) -> dict[str, PredictFn]:
    """Load a version by the usual way, by TensorFlow, and by each engine it fits."""
    saved_model = load_predict_fn(version)
    engines: dict[str, PredictFn] = {
        "keras_predict": predict_tile_by_tile(load_model(version)),
        "tensorflow": saved_model,
        "tensorflow_bf16": saved_model,
    }
    tiles = cut_calibration_tiles(version)
    for form in FORMS:
        try:
            convert_version(version, form, calibration_tiles=tiles)
        except RegistryError as error:
            print(f"{version.reference}: {error}")
            continue
        for name in ENGINES:
            if RUNTIMES[name][0] == form:
                engines[name] = load_runtime(version, name)
    return engines


def predict_tile_by_tile(model: keras.Model) -> Callable[[Any], Any]:
    """Give what calls `model.predict` and then turns logits into probabilities."""

    def predict(tiles: Any) -> Any:
        logits = model.predict(tiles, verbose=0)
        if logits.shape[-1] == 1:
            logits = np.concatenate([np.zeros_like(logits), logits], axis=-1)
        return keras.ops.convert_to_numpy(keras.ops.softmax(logits))

    return predict


def draw_micrograph(version: ModelVersion) -> Micrograph:
    """Mirror the golden image of a version to a larger one."""
    image = read_golden(version.path).image
    missing = [
        (0, max(0, wanted - size))
        for wanted, size in zip(SHAPE_PX, image.shape, strict=True)
    ]
    pixels = np.pad(image, missing, mode="symmetric")
    return Micrograph(pixels=pixels, calibration=CALIBRATION, name="golden")


def cut_calibration_tiles(version: ModelVersion) -> list[Any]:
    """Give the golden image in several orientations, as int8 wants to see some."""
    tile = prepare_tiles(version.card, read_golden(version.path).image)
    side = min(tile.shape[1:3])
    square = tile[:, :side, :side]
    views = [
        np.rot90(v, k, (1, 2)) for v in (square, square[:, ::-1]) for k in range(4)
    ]
    return [np.ascontiguousarray(view) for view in views[:CALIBRATION_TILES]]


def density_error(version: ModelVersion, true: ClassMap, found: ClassMap) -> float:
    """Give the largest relative error of a density or a mean size; 1 for one lost."""
    scheme = version.card.scheme
    table = compare_quantities(
        quantify(true, scheme, CALIBRATION), quantify(found, scheme, CALIBRATION)
    )
    kept = table[table["name"].str.contains("density|mean") & table["true"].notna()]
    lost = kept["predicted"].isna()
    return float(kept["relative_error"].abs().mask(lost, 1.0).max())


def show(speeds: list[Speed]) -> None:
    """Print all engines of each model, the fastest good one marked."""
    table = Table(
        "model", "engine", "a minute", "CPU s", "times as fast", "density off", ""
    )
    for speed in speeds:
        own = [s for s in speeds if s.model == speed.model and s.error < LARGEST_ERROR]
        fastest = max(own, key=lambda s: s.times_as_fast, default=None)
        table.add_row(
            speed.model,
            speed.engine,
            f"{speed.per_minute:.1f}",
            f"{speed.cpu_seconds:.2f}",
            f"{speed.times_as_fast:.2f}",
            f"{100 * speed.error:.2f} %",
            "fastest below 1 %" if speed is fastest else "",
        )
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
