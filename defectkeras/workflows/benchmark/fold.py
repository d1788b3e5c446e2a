"""One candidate on one fold: trained or fitted, judged on what was held out, timed."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.classical.tiles import Polarity
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import DatasetSpec, load_example
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.prediction.postprocess import most_probable_class
from defectkeras.prediction.predict import Prediction
from defectkeras.prediction.sliding_window import slide_window
from defectkeras.workflows.benchmark.candidates import Candidate
from defectkeras.workflows.benchmark.scores import Row, fold_scores
from defectkeras.workflows.evaluate import evaluate_split
from defectkeras.workflows.evaluate_method import method_for, method_segmenter
from defectkeras.workflows.fresh_model import build_model_for
from defectkeras.workflows.method import MethodChoice
from defectkeras.workflows.segment import Segmentation, SegmentSettings
from defectkeras.workflows.training_card import num_maps
from defectkeras.workflows.training_request import TrainingRequest
from defectkeras.workflows.trust.thresholds import predict_probabilities

if TYPE_CHECKING:
    import keras

    from defectkeras.training.config import TrainingConfig

SegmentMicrograph = Callable[[Micrograph], Segmentation]

SLIDING = "patch_classifier"
CROP = (24, 40)  # what a window slides over, in px: enough to time it
MOST_DIFFERENCE = 1e-3  # of the two forms of the classifier, in any probability


def run_fold(
    candidate: Candidate,
    spec: DatasetSpec,
    config: "TrainingConfig",
    *,
    run_folder: Path,
    polarity: Polarity = "dark",
    tolerance_px: float = 2.0,
) -> Row:
    """Learn from the split "train" of a data spec and judge by the split "val".

    Nothing is chosen by the split "val": the weights are those of the last step.

    Args:
        candidate: What is tried.
        spec: Of the fold.
        config: The budget, one epoch.
        run_folder: Of the training, new.
        polarity: Of the defects, for a method without a network.
        tolerance_px: How far a boundary may be off.

    Raises:
        DatasetError: When a method cannot tell the classes apart.
        ModelError: When the network cannot be built.
        TrainingError: When the training cannot start, go on or end well.
    """
    if candidate.architecture is None:
        segment, costs = _fit(candidate.name, spec, polarity)
    else:
        segment, costs = _train(candidate, spec, config, run_folder)
    times: list[NDArray[np.float64]] = []
    evaluation = evaluate_split(
        _timed(segment, times),
        spec,
        split="val",
        model=candidate.name,
        sha256=None,
        tolerance_px=tolerance_px,
    )
    fastest = np.min(times, axis=0)
    return {
        **fold_scores(evaluation),
        **costs,
        "seconds_per_megapixel": float(fastest[0]),
        "cpu_seconds_per_megapixel": float(fastest[1]),
        "micrographs": [e.name for e in evaluation.examples],
    }


def _fit(
    method: str, spec: DatasetSpec, polarity: Polarity
) -> tuple[SegmentMicrograph, Row]:
    """Prepare a method without a network; give what predicts by it, and its costs."""
    before = _clock()
    chosen = method_for(MethodChoice(method, polarity), spec)
    segment = method_segmenter(chosen, SegmentSettings())
    unknown = ("parameters", "gflops_per_megapixel", "window_seconds_per_megapixel")
    return segment, {**_training_times(before), **dict.fromkeys(unknown)}


def _train(
    candidate: Candidate, spec: DatasetSpec, config: "TrainingConfig", run_folder: Path
) -> tuple[SegmentMicrograph, Row]:
    """Train a network; give what predicts by it, and what it costs."""
    import keras

    from defectkeras.models.cost import count_gflops_per_megapixel
    from defectkeras.training.strategy import choose_devices
    from defectkeras.training.train import train

    keras.utils.clear_session()
    config = dataclasses.replace(config, loss=candidate.loss)
    devices = choose_devices(config.strategy)
    request = TrainingRequest(
        spec.path,
        architecture=str(candidate.architecture),
        arguments=candidate.arguments,
    )
    model = build_model_for(request, spec, config, devices)
    learned, before = spec.of_split("train"), _clock()
    run = train(
        model,
        learned,
        learned[:1],  # a run validates on something, and here it chooses nothing
        spec.scheme,
        config,
        run_folder=run_folder,
        keep_epoch=config.epochs,
        devices=devices,
    )
    is_sliding = candidate.architecture == SLIDING
    costs: Row = {
        **_training_times(before),
        "parameters": run.model.count_params(),
        "gflops_per_megapixel": count_gflops_per_megapixel(run.model),
        "window_seconds_per_megapixel": _slide(run.model, candidate.arguments, spec)
        if is_sliding
        else None,
    }
    predict = predict_probabilities(
        run.model,
        spec.scheme,
        target_pixel_size_nm=config.target_pixel_size_nm,
        symmetries=config.views,
    )

    def segment(micrograph: Micrograph) -> Segmentation:
        probability_map = predict(micrograph)
        class_map = most_probable_class(probability_map)
        return Segmentation(Prediction(probability_map, class_map), class_map, ())

    return segment, costs


def _slide(
    model: "keras.Model", arguments: Mapping[str, Any], spec: DatasetSpec
) -> float:
    """Time the same weights asked window by window, in s per megapixel.

    Raises:
        ValueError: When the two forms of the network do not agree.
    """
    from defectkeras.models.patch_classifier import build_window_classifier

    window = build_window_classifier(num_classes=num_maps(spec), **arguments)
    window.set_weights(model.get_weights())
    slide = slide_window(
        lambda windows: window.predict_on_batch(windows)[:, 0, 0],
        patch_size=window.input_shape[1],
    )
    pixels = load_example(spec.of_split("val")[0], spec.scheme).micrograph.pixels
    rows, columns = CROP
    tile = normalize_percentile(pixels)[None, :rows, :columns, None]
    slide(tile)  # compiles
    before = time.perf_counter()
    found = slide(tile)
    seconds = time.perf_counter() - before
    difference = float(np.abs(found - model(tile, training=False).numpy()).max())
    if difference > MOST_DIFFERENCE:
        raise ValueError(f"Both forms must agree. Received: {difference=}.")
    return seconds * 1e6 / (rows * columns)


def _clock() -> NDArray[np.float64]:
    """Give the time, and that of all processors of this process, in s."""
    return np.array([time.perf_counter(), time.process_time()])


def _training_times(before: NDArray[np.float64]) -> Row:
    seconds, cpu_seconds = (_clock() - before).tolist()
    return {"training_seconds": seconds, "training_cpu_seconds": cpu_seconds}


def _timed(
    segment: SegmentMicrograph, times: list[NDArray[np.float64]]
) -> SegmentMicrograph:
    """Note how long each micrograph takes, in s per megapixel."""

    def segment_and_time(micrograph: Micrograph) -> Segmentation:
        before = _clock()
        found = segment(micrograph)
        times.append((_clock() - before) * 1e6 / micrograph.pixels.size)
        return found

    return segment_and_time
