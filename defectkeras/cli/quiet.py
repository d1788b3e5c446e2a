"""Start TensorFlow without what its libraries say about themselves."""

import os
import sys
import tempfile


def start_tensorflow() -> None:
    """Import TensorFlow; what it says on stderr meanwhile shows only when it fails.

    Its libraries write notes on oneDNN and absent GPUs straight to the file
    descriptor, whatever the log level. Nothing is held back from a user who sets
    TF_CPP_MIN_LOG_LEVEL=0.
    """
    wants_all = os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0"
    if wants_all or "tensorflow" in sys.modules:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            import tensorflow as tf

            tf.config.list_physical_devices()
        except BaseException:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
