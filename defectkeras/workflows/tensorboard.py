"""The command that shows training runs in TensorBoard."""

import sys
from collections.abc import Sequence
from pathlib import Path

from defectkeras.core.errors import TrainingError
from defectkeras.training.log_budget import samples_per_plugin

LOOPBACK = "127.0.0.1"  # a log is for whoever sits at this computer


def tensorboard_command(runs: Sequence[Path], *, port: int | None = None) -> list[str]:
    """Give the command that serves runs, on this computer alone, until Ctrl-C.

    Args:
        runs: Run folders, or folders of such folders. Of several each is named by
            its folder.
        port: None takes 6006, or the next free one.

    Raises:
        TrainingError: When a folder holds no log, or several cannot be told apart.
    """
    for run in runs:
        if not any(run.rglob("events.out.tfevents.*")):
            raise TrainingError(
                f"{run}: must hold the log of a run. Received: no file "
                "events.out.tfevents.* in it. Name a folder that `defectkeras train` "
                "wrote, or one above."
            )
    where = f"--logdir={runs[0]}" if len(runs) == 1 else f"--logdir_spec={_spec(runs)}"
    return [
        sys.executable,
        "-m",
        "tensorboard.main",
        where,
        f"--samples_per_plugin={samples_per_plugin()}",
        f"--host={LOOPBACK}",
        *([] if port is None else [f"--port={port}"]),
    ]


def _spec(runs: Sequence[Path]) -> str:
    """Name several folders as TensorBoard wants them: name:path,name:path."""
    names = [run.resolve().name for run in runs]
    if len(set(names)) < len(names) or any(c in f"{run}" for run in runs for c in ",:"):
        raise TrainingError(
            "Several runs must have folders of different names, without comma and "
            f"colon in their paths. Received: {', '.join(map(str, runs))}. Name the "
            "folder above them instead."
        )
    return ",".join(f"{name}:{run}" for name, run in zip(names, runs, strict=True))
