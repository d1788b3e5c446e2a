"""The engines that can run a version, each as a PredictFn.

TensorFlow, half a gigabyte of memory, is loaded when it is the engine.
"""

import functools
import importlib
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import PredictFn
from defectkeras.core.errors import RegistryError
from defectkeras.core.names import require_known
from defectkeras.registry.engines.conversions import find_conversion
from defectkeras.registry.version import ModelVersion

Floats = NDArray[np.float32]


def load_runtime(version: ModelVersion, runtime: str = "tensorflow") -> PredictFn:
    """Load a version into an engine.

    Args:
        version: From `ModelRegistry.resolve`.
        runtime: "tensorflow", or a name of `RUNTIMES`; for these the version must
            have been converted before.

    Returns:
        Normalized tiles (N, T, T, 1) float32 to probabilities (N, T, T, K) float32.

    Raises:
        RegistryError: When the runtime is unknown or not installed, or there is no
            conversion or a damaged one.
    """
    if runtime == "tensorflow":
        from defectkeras.registry.load import load_predict_fn

        return load_predict_fn(version)
    known = ["tensorflow", *RUNTIMES]
    require_known(runtime, known, what="runtime", error=RegistryError)
    form, package, load = RUNTIMES[runtime]
    try:
        importlib.import_module(package)
    except ImportError as error:
        raise RegistryError(
            f"The runtime {runtime} needs the package {package}. Install it with: "
            "pip install 'defectkeras[runtimes]'."
        ) from error
    return load(find_conversion(version, form))


def engine_packages(runtime: str) -> tuple[str, ...]:
    """Give what an engine is made of, as far as it is installed; a server is none.

    Example:
        >>> engine_packages("tensorflow"), engine_packages("serving")
        (('tensorflow', 'keras'), ())
    """
    if runtime == "tensorflow":
        return ("tensorflow", "keras")
    names = [package for name, (_, package, _) in RUNTIMES.items() if name == runtime]
    return tuple(name for name in names if importlib.util.find_spec(name))


def _load_onnxruntime(folder: Path) -> PredictFn:
    import onnxruntime

    session = onnxruntime.InferenceSession(
        folder / "model.onnx", providers=onnxruntime.get_available_providers()
    )
    name = session.get_inputs()[0].name

    def predict(tiles: Floats) -> Floats:
        """Turn tiles (N, T, T, 1) into probabilities (N, T, T, K)."""
        probability_map: Floats = session.run(None, {name: tiles})[0]
        return probability_map

    return predict


@functools.cache
def _openvino_core() -> Any:
    """Give the one core of this process, which stays until its end.

    Each brings a stack for signals. Where the first of two goes first, the process is
    left with one that is gone, and the next Ctrl-C is a segmentation fault.
    """
    import openvino

    return openvino.Core()


def _openvino_loader(precision: str) -> Callable[[Path], PredictFn]:
    """Give a loader; without a precision OpenVINO takes bfloat16 where it can."""

    def load(folder: Path) -> PredictFn:
        options = {"INFERENCE_PRECISION_HINT": precision}
        compiled = _openvino_core().compile_model(folder / "model.xml", "CPU", options)

        def predict(tiles: Floats) -> Floats:
            """Turn tiles (N, T, T, 1) into probabilities (N, T, T, K)."""
            return np.array(compiled(tiles)[0], dtype=np.float32)

        return predict

    return load


def _load_litert(folder: Path) -> PredictFn:
    """Load without the default delegate XNNPACK.

    In version 2.3 it gives wrong results from the second call on, where the size of
    a map is known only when it runs, as behind a transposed convolution.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        str(folder / "model.tflite"),
        num_threads=os.cpu_count(),
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    image = interpreter.get_input_details()[0]["index"]
    output = interpreter.get_output_details()[0]["index"]
    shape: Any = None

    def predict(tiles: Floats) -> Floats:
        """Turn tiles (N, T, T, 1) into probabilities (N, T, T, K)."""
        nonlocal shape
        if tiles.shape != shape:
            interpreter.resize_tensor_input(image, tiles.shape)
            interpreter.allocate_tensors()
            shape = tiles.shape
        interpreter.set_tensor(image, tiles)
        interpreter.invoke()
        probability_map: Floats = interpreter.get_tensor(output)
        return probability_map

    return predict


RUNTIMES: dict[str, tuple[str, str, Callable[[Path], PredictFn]]] = {
    "onnxruntime": ("onnx", "onnxruntime", _load_onnxruntime),
    "openvino": ("openvino", "openvino", _openvino_loader("f32")),
    "openvino_bf16": ("openvino", "openvino", _openvino_loader("bf16")),
    "litert": ("litert", "ai_edge_litert", _load_litert),
    "litert_int8": ("litert_int8", "ai_edge_litert", _load_litert),
}
"""Runtime to the form that it reads, its package, and its loader."""

COARSE = frozenset({"openvino_bf16", "litert_int8"})
"""Those that compute in fewer bits than float32, for speed."""
