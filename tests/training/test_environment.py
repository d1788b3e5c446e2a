import getpass
import json
import platform
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.training.environment import describe_environment, seed_everything


def test_seed_makes_the_same_weights():
    def weights():
        seed_everything(3)
        layer = keras.layers.Dense(4)
        layer.build((2, 5))
        return layer.kernel.numpy()

    np.testing.assert_array_equal(weights(), weights())


def test_environment_tells_versions_and_devices():
    environment = describe_environment()
    assert environment["python"] == platform.python_version()
    assert environment["packages"]["tensorflow"] == tf.__version__
    assert environment["packages"]["keras"] == keras.__version__
    assert any(d.startswith("CPU") for d in environment["devices"])


def test_environment_is_json_and_names_no_machine():
    text = json.dumps(describe_environment())
    assert platform.node() not in text
    assert f'"{getpass.getuser()}"' not in text


@pytest.mark.slow
def test_deterministic_operations_refuse_what_has_no_seed():
    code = (
        "import tensorflow as tf;"
        "from defectkeras.training.environment import make_deterministic;"
        "make_deterministic(); tf.random.normal((2, 3))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, check=False
    )
    assert "determinism is enabled" in done.stderr
