"""From a folder of micrographs to a file for `encoder_weights`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from defectkeras.core.errors import TrainingError
from defectkeras.core.files import require_free
from defectkeras.micrographs.find import find_micrographs
from defectkeras.micrographs.read import read_micrograph

if TYPE_CHECKING:
    from defectkeras.training.pretrain import Pretraining, PretrainingConfig


def plan_pretraining(
    paths: Sequence[Path], out: Path, *, overwrite: bool = False
) -> list[Path]:
    """Find the micrographs, and see that the file can be written.

    Args:
        paths: Files and folders.
        out: Of the encoder; must end in ".keras".
        overwrite: Whether an older file gives way.

    Raises:
        MicrographError: When there is no micrograph.
        TrainingError: When the file has another suffix.
        DefectKerasError: When it is there already.
    """
    if out.suffix != ".keras":
        raise TrainingError(f"`out` must end in .keras. Received: {out}.")
    require_free(out, overwrite=overwrite)
    return find_micrographs(paths)


def pretrain(
    paths: Sequence[Path],
    config: "PretrainingConfig",
    out: Path,
    *,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> "Pretraining":
    """Pretrain an encoder on micrographs and write it.

    Args:
        paths: Files and folders of micrographs; annotations are not read.
        config: The settings.
        out: A `.keras` file.
        overwrite: Whether an older file gives way.
        on_progress: Told the steps done, and all.

    Returns:
        The losses.

    Raises:
        MicrographError: When a micrograph cannot be read; it is named.
        TrainingError: When it cannot start, go on or write.
    """
    from defectkeras.training.environment import seed_everything
    from defectkeras.training.pretrain import pretrain

    files = plan_pretraining(paths, out, overwrite=overwrite)
    micrographs = [read_micrograph(file) for file in files]
    seed_everything(config.seed)
    try:
        return pretrain(micrographs, config, out, on_progress=on_progress)
    except OSError as error:
        raise TrainingError(f"{out}: cannot be written. {error}.") from error
