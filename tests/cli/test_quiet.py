"""TensorFlow starts without notes on stderr, and failures are not hidden."""

import os
import subprocess
import sys

import pytest

START = "from defectkeras.cli.quiet import start_tensorflow; start_tensorflow()"


def run(code, **variables):
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, **variables},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("variables", [{}, {"TF_CPP_MIN_LOG_LEVEL": "2"}])
def test_stderr_is_back_with_errors_of_tensorflow_and_without_its_warnings(variables):
    log = "import os, tensorflow as tf; tf.get_logger().{}('{}')"
    logged = f"{log.format('warning', 'graph')}; {log.format('error', 'bad')}"
    done = run(f"{START}; {logged}; os.write(2, b'mine')", **variables)
    assert done.returncode == 0
    assert done.stderr == "ERROR:tensorflow:bad\nmine"


def test_a_failure_shows_what_was_held_back():
    code = (
        "import os, sys, types\n"
        "class Broken:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'tensorflow':\n"
        "            os.write(2, b'held back'); raise ImportError('no tensorflow')\n"
        "sys.meta_path.insert(0, Broken())\n" + START
    )
    done = run(code)
    assert done.returncode == 1
    assert "held back" in done.stderr
    assert "no tensorflow" in done.stderr


def test_who_wants_to_see_all_sees_it():
    code = f"{START}; import sys; sys.exit('tensorflow' in sys.modules)"
    assert run(code, TF_CPP_MIN_LOG_LEVEL="0").returncode == 0
