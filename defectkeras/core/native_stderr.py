"""What native libraries write to stderr, past Python and its log levels."""

import contextlib
import os
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def held_back_stderr(*told: type[BaseException]) -> Iterator[None]:
    """Hold back all that is written to the file descriptor of stderr.

    Args:
        told: Errors that say themselves what is wrong; with any other, what was held
            back is shown.
    """
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except told:
            raise
        except BaseException:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
