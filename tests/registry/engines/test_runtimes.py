"""Every engine gives what TensorFlow gives, for any number and size of tiles."""

import subprocess
import sys

import numpy as np
import pytest

from defectkeras.cli.options import RUNTIMES as OFFERED
from defectkeras.core.errors import RegistryError
from defectkeras.registry.engines.convert import convert_version
from defectkeras.registry.engines.runtimes import COARSE, RUNTIMES, load_runtime
from defectkeras.registry.load import load_predict_fn


def tiles(*shape, seed=0):
    return np.random.default_rng(seed).random((*shape, 1)).astype(np.float32)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_same_probabilities_as_tensorflow(registry, runtime):
    form, *_ = RUNTIMES[runtime]
    version = registry.resolve("tiny")
    calibration = [tiles(1, 32, 48, seed=n) for n in range(4)]
    convert_version(version, form, calibration_tiles=calibration)
    expect, predict = load_predict_fn(version), load_runtime(version, runtime)
    for shape in [(1, 32, 48), (3, 120, 152), (3, 120, 152), (1, 32, 48)]:
        found = predict(tiles(*shape))
        assert found.dtype == np.float32
        off = np.abs(found - expect(tiles(*shape)))
        if runtime in COARSE:
            assert off.mean() < 0.02
            assert off.max() < 0.25
        else:
            assert off.max() < 1e-5
    kept = predict(tiles(1, 16, 24))
    before = kept.copy()
    predict(tiles(1, 16, 24, seed=1))
    np.testing.assert_array_equal(kept, before, "a later call must not change it")


def test_tensorflow_needs_no_conversion(registry):
    version = registry.resolve("tiny")
    found = load_runtime(version)(tiles(1, 16, 24))
    np.testing.assert_array_equal(found, load_predict_fn(version)(tiles(1, 16, 24)))


def test_slips_are_told(registry, monkeypatch):
    version = registry.resolve("tiny")
    with pytest.raises(RegistryError, match="Did you mean 'openvino'"):
        load_runtime(version, "open_vino")
    with pytest.raises(RegistryError, match="registry convert tiny@1 --to onnx"):
        load_runtime(version, "onnxruntime")
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(RegistryError, match=r"defectkeras\[runtimes\]"):
        load_runtime(version, "openvino")


def test_engines_are_those_of_the_command_line():
    assert ("tensorflow", *RUNTIMES) == OFFERED


def test_other_engines_need_no_tensorflow(registry):
    version = registry.resolve("tiny")
    convert_version(version, "openvino", replace=True)
    code = f"""
import sys
from pathlib import Path
from defectkeras.workflows.segment import load_segmenter
load_segmenter("tiny", Path({str(registry.root)!r}), runtime="openvino")
sys.exit("tensorflow" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_interrupt_after_two_models_of_openvino_is_no_crash(tmp_path):
    code = """
import gc, signal, sys
from pathlib import Path
import numpy as np
import openvino
import openvino.opset13 as ops
from defectkeras.registry.engines.runtimes import RUNTIMES
image = ops.parameter([1, 4, 4, 1], np.float32)
folder = Path(sys.argv[1])
openvino.save_model(openvino.Model([ops.relu(image)], [image]), folder / "model.xml")
first, second = (RUNTIMES["openvino"][2](folder) for _ in range(2))
first(np.zeros((1, 4, 4, 1), np.float32))
del first
gc.collect()
del second
gc.collect()
try:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
"""
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True
    )
    assert run.stdout == "interrupted\n", run
