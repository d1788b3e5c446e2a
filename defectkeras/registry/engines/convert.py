"""A version written as a file for another engine than TensorFlow.

It takes tiles (N, T, T, 1) to probabilities, as the signature "tiles" does.
"""

import contextlib
import importlib
import io
import re
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)

from defectkeras.core.errors import RegistryError
from defectkeras.core.files import sha256_of_file, whole_folder, write_json
from defectkeras.core.names import require_known
from defectkeras.core.native_stderr import held_back_stderr
from defectkeras.registry.engines.conversions import RECORD, conversion_folder
from defectkeras.registry.folders import told_plainly
from defectkeras.registry.load import load_model
from defectkeras.registry.saved_model.folding import fold_batch_norms
from defectkeras.registry.version import ModelVersion

Tiles = NDArray[np.float32]


def convert_version(
    version: ModelVersion,
    form: str,
    *,
    calibration_tiles: Sequence[Tiles] = (),
    replace: bool = False,
) -> Path:
    """Convert a version, whole or not at all.

    Normalizations are taken into the convolutions, and all is computed in float32.

    Args:
        version: From `ModelRegistry.resolve`.
        form: A name of `CONVERTERS`.
        calibration_tiles: Normalized tiles (1, T, T, 1) of real micrographs; needed
            for "litert_int8", whose steps are chosen by what the network sees.
        replace: Whether an older conversion gives way.

    Returns:
        The folder of the conversion.

    Raises:
        RegistryError: When the form is unknown, its packages are not installed,
            there is a conversion already, or it cannot be written.
    """
    require_known(form, CONVERTERS, what="conversion", error=RegistryError)
    packages, convert = CONVERTERS[form]
    _require_packages(form, packages)
    folder = conversion_folder(version, form)
    if folder.exists() and not replace:
        raise RegistryError(f"{folder} exists. Use it, or replace it with --overwrite.")
    model = probability_model(load_model(version))
    with told_plainly(folder), whole_folder(folder, replace=replace) as temporary:
        convert(model, temporary, calibration_tiles)
        files = {p.name: sha256_of_file(p) for p in sorted(temporary.iterdir())}
        record = {
            "schema": 1,
            "form": form,
            "source": version.reference,
            "source_sha256": version.sha256,
            "made_by": {p: version_of(p) for p in ("tensorflow", "keras", *packages)},
            "files": files,
        }
        write_json(temporary / RECORD, record)
    return folder


def probability_model(model: keras.Model) -> keras.Model:
    """Give a model of probabilities, folded and in float32.

    Args:
        model: (B, H, W, 1) to logits (B, H, W, K).

    Returns:
        (B, H, W, 1) to probabilities (B, H, W, max(K, 2)).
    """
    folded = fold_batch_norms(model, dtype="float32")
    logits = folded.output
    if logits.shape[-1] == 1:
        defect = keras.ops.sigmoid(logits)
        probabilities = keras.ops.concatenate([1.0 - defect, defect], axis=-1)
    else:
        probabilities = keras.ops.softmax(logits, axis=-1)
    return keras.Model(folded.inputs[0], probabilities)


def _any_tiles(model: keras.Model) -> Any:
    """Give the model as a function of tiles of any size."""
    spec = tf.TensorSpec((None, None, None, 1), tf.float32, name="image")
    return tf.function(
        lambda image: model(image, training=False), input_signature=[spec]
    )


def _to_onnx(model: keras.Model, folder: Path, _: Sequence[Tiles]) -> None:
    import tf2onnx

    function = _any_tiles(model)
    tf2onnx.convert.from_function(
        function,
        input_signature=function.input_signature,
        opset=18,
        output_path=str(folder / "model.onnx"),
    )


def _to_openvino(model: keras.Model, folder: Path, _: Sequence[Tiles]) -> None:
    """Convert the graph itself: by way of ONNX, dilated separable ones are not read."""
    import openvino

    concrete = _any_tiles(model).get_concrete_function()
    graph = convert_variables_to_constants_v2(concrete).graph.as_graph_def()
    graph_file = folder / "model.pb"
    graph_file.write_bytes(graph.SerializeToString())
    try:
        converted = openvino.Core().read_model(graph_file)
    except RuntimeError as error:
        raise _unknown_to("OpenVINO", error) from error
    openvino.save_model(converted, folder / "model.xml", compress_to_fp16=False)
    graph_file.unlink()


def _to_litert(model: keras.Model, folder: Path, _: Sequence[Tiles]) -> None:
    _write_litert(tf.lite.TFLiteConverter.from_keras_model(model), folder)


def _to_litert_int8(model: keras.Model, folder: Path, tiles: Sequence[Tiles]) -> None:
    if not tiles:
        raise RegistryError(
            "int8 needs tiles of real micrographs to choose its steps by. Received: "
            "none. Name a data spec with --spec."
        )
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([tile] for tile in tiles)
    _write_litert(converter, folder)


def _write_litert(converter: Any, folder: Path) -> None:
    """Convert, and let the converter keep its lists to itself."""
    from tensorflow.lite.python.convert_phase import ConverterError

    try:
        with (
            held_back_stderr(ConverterError),
            contextlib.redirect_stdout(io.StringIO()),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            (folder / "model.tflite").write_bytes(converter.convert())
    except ConverterError as error:
        raise _unknown_to("LiteRT", error) from error


def _unknown_to(engine: str, error: Exception) -> RegistryError:
    """Say that an engine lacks an operation of the network."""
    named = re.search(r"TF Select ops: (.+)", str(error))  # by LiteRT's converter
    reason = named[1] if named else " ".join(str(error).split())[:300]
    return RegistryError(
        f"{engine} must know every operation of the network as it is used, and does "
        f"not: {reason}. Nothing was written; convert to another form, such as onnx."
    )


CONVERTERS: dict[
    str,
    tuple[tuple[str, ...], Callable[[keras.Model, Path, Sequence[Tiles]], None]],
] = {
    "onnx": (("tf2onnx",), _to_onnx),
    "openvino": (("openvino",), _to_openvino),
    "litert": ((), _to_litert),
    "litert_int8": ((), _to_litert_int8),
}
"""Form to the packages that it needs and the function that writes its files."""


def _require_packages(form: str, packages: Sequence[str]) -> None:
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise RegistryError(
                f"{form} needs the package {package}. Install it with: "
                "pip install 'defectkeras[runtimes]'."
            ) from error
