"""Start TensorFlow without what its libraries say about themselves."""

import os
import sys

from defectkeras.core.native_stderr import held_back_stderr


def start_tensorflow() -> None:
    """Import TensorFlow; what it says on stderr meanwhile shows only when it fails.

    Its libraries write notes on oneDNN and absent GPUs straight to the file
    descriptor, whatever the log level. Its warnings speak of graphs, to programmers:
    of TensorFlow's logger, errors alone are told. Nothing is held back from a user who
    sets TF_CPP_MIN_LOG_LEVEL=0.
    """
    wants_all = os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0"
    if wants_all or "tensorflow" in sys.modules:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with held_back_stderr():
        import tensorflow as tf

        tf.config.list_physical_devices()
    tf.get_logger().setLevel("ERROR")
