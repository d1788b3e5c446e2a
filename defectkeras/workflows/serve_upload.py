"""A micrograph that came over HTTP: analyzed, and its results kept for a while."""

import io
import re
import shutil
import uuid
import zipfile
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from defectkeras.core.errors import MicrographError
from defectkeras.core.file_names import composed
from defectkeras.micrographs.read import read_frame
from defectkeras.serving.served_models import ServedModels
from defectkeras.serving.status import Code, StatusError
from defectkeras.workflows.analysis.plan import BatchSettings
from defectkeras.workflows.analyze import PAGE, analyze
from defectkeras.workflows.analyze_settings import AnalyzeSettings

_KEPT = 20
_FIELDS = {
    "--pixel-size-nm": '"Pixel size in nm"',
    "analyze --frame": '"Frame of a stack"',
}
"""An option that a message asks for, and how the page calls it."""
_MOST_NAME_BYTES = 100  # file systems take 255, also of a name with an ending of ours


@dataclass(frozen=True, eq=False)
class Uploads:
    """Where the results of the last uploads lie."""

    root: Path
    kept: deque[Path] = field(default_factory=deque)

    def new_folder(self) -> Path:
        """Give an empty folder; the oldest goes when there are too many."""
        while len(self.kept) >= _KEPT:
            shutil.rmtree(self.kept.popleft(), ignore_errors=True)
        folder = self.root / uuid.uuid4().hex
        folder.mkdir()
        self.kept.append(folder)
        return folder

    def find(self, key: str, path: str) -> Path:
        """Give a file of the results, and never one beside them.

        Raises:
            StatusError: When there is none.
        """
        results = self.root / key / "results"
        found = (results / path).resolve()
        known = re.fullmatch(r"[0-9a-f]{32}", key) is not None
        if not known or not found.is_relative_to(results) or not found.is_file():
            raise StatusError(Code.NOT_FOUND, "No such file, or not any more")
        return found


def analyze_upload(
    models: ServedModels,
    uploads: Uploads,
    body: bytes,
    query: Mapping[str, str],
    *,
    max_pixels: int,
) -> dict[str, str]:
    """Analyze a micrograph that came as a file.

    Args:
        models: The models that are served.
        uploads: Where the results go.
        body: The file.
        query: `model` ("name@3"), `file_name`, and `pixel_size_nm`,
            `foil_thickness_nm` and `frame` where they are given.
        max_pixels: A micrograph of more is refused before it is decoded.

    Returns:
        Paths of the report and of all results.

    Raises:
        StatusError: When the version is not served or the query is not sound.
        DefectKerasError: When the file cannot be analyzed.
    """
    name, _, number = query.get("model", "").partition("@")
    if not number.isdecimal():
        raise StatusError(Code.INVALID_ARGUMENT, "A model is needed, such as name@3")
    servable = models.find(name, version=int(number[:18]))
    settings = AnalyzeSettings(
        pixel_size_nm=_positive(query, "pixel_size_nm"),
        foil_thickness_nm=_positive(query, "foil_thickness_nm"),
        frame=_number(query, "frame"),
    )
    folder = uploads.new_folder()
    file = folder / plain_file_name(query.get("file_name", ""))
    file.write_bytes(body)
    try:
        read_frame(file, frame=settings.frame, max_pixels=max_pixels)
    except MicrographError as error:
        raise _for_the_page(str(error), file) from error
    results = folder / "results"
    analysis = analyze(
        [file],
        servable.version.reference,
        output_folder=results,
        settings=settings,
        registry_root=models.registry.root,
        batch=BatchSettings(workers=1),
    )
    for failed in analysis.failed:
        raise _for_the_page(failed.reason, file)
    base = f"results/{folder.name}"
    return {"report": f"{base}/{PAGE}", "archive": f"{base}/results.zip"}


def _for_the_page(reason: str, file: Path) -> StatusError:
    """Tell what is wrong with a file in the page's words, not where it lies here."""
    reason = reason.replace(str(file), file.name)
    for option, field_name in _FIELDS.items():
        reason = reason.replace(option, field_name)
    return StatusError(Code.INVALID_ARGUMENT, reason)


def plain_file_name(name: str) -> str:
    """Give a name that is safe as a file's; its ending stays.

    Example:
        >>> plain_file_name("../../field 1 <b>.tif"), plain_file_name("")
        ('field 1 _b_.tif', 'micrograph')
    """
    last = composed(re.split(r"[/\\\\]", name)[-1])
    plain = re.sub(r"[^\w .+-]", "_", last).encode()[-_MOST_NAME_BYTES:]
    return plain.decode(errors="ignore").strip(". ") or "micrograph"


def _positive(query: Mapping[str, str], name: str) -> float | None:
    text = query.get(name, "")
    try:
        value = float(text) if text else None
    except ValueError:
        value = -1.0
    if value is not None and not 0 < value < float("inf"):
        raise StatusError(
            Code.INVALID_ARGUMENT, f"{name} must be a positive number: {text[:40]!r}"
        )
    return value


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name, "")
    if text and not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise StatusError(
            Code.INVALID_ARGUMENT, f"{name} must be a whole number: {text[:40]!r}"
        )
    return int(text) if text else None


def pack(folder: Path) -> bytes:
    """Give all files of a folder as a ZIP archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(folder))
    return buffer.getvalue()
