"""The folder of one micrograph's results: its name, what made it, what it holds.

The folder is written whole or not at all, and summary.json in it tells the input,
the model and the settings. So a folder that is there is done, and a run that was
stopped can go on; and pages and tables over all micrographs are made of what lies
on the disk, whichever run, worker or host put it there.
"""

import contextlib
import fcntl
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.core.file_names import composed
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.strict import from_mapping
from defectkeras.micrographs.sidecar import sidecar_scale
from defectkeras.quantification.places import Places
from defectkeras.quantification.results import Quantification, Quantity
from defectkeras.quantification.settings import QuantifySettings
from defectkeras.reporting.page import flatten
from defectkeras.reporting.pictures import Pictures
from defectkeras.reporting.results import MicrographReport, RunFacts
from defectkeras.reporting.tables import SUMMARY_SCHEMA
from defectkeras.workflows.measure import PICTURES, SUMMARY

_OVER_ALL = (".csv", ".html", ".jsonl", ".parquet")
"""Ends of the files over all micrographs, beside which the folders lie."""

_TOLD = {"model", "software", "settings", "sha256", "files"}
"""What every summary tells of where it comes from."""

_MOST_NAMED = 3
_OTHERS = "Give another --out to keep them, or --overwrite to replace them."
_AGAIN = "Take this folder away and run again, or make all again with --overwrite."


def result_folders(paths: Sequence[Path]) -> dict[Path, str]:
    """Give each micrograph a folder name; the stem, or more where stems are equal.

    Args:
        paths: Files, each once. One such as "report.html.tif" keeps its suffix, so that
            its folder does not take the place of the page.

    Returns:
        File to name, composed: a run goes on with a copy from another system.

    Example:
        >>> names = result_folders([Path("a/x.tif"), Path("a/x.png"), Path("b/y.tif")])
        >>> list(names.values())
        ['x.tif', 'x.png', 'y']
    """
    forms: tuple[Callable[[Path], str], ...] = (
        lambda p: composed(p.name if p.stem.endswith(_OVER_ALL) else p.stem),
        lambda p: composed(p.name),
        lambda p: composed("_".join(p.parts[-2:])),
        lambda p: composed("_".join(p.absolute().parts[1:])),
        lambda p: sha256(os.fsencode(p.absolute())).hexdigest() + p.suffix,
    )
    chosen: dict[Path, str] = {}
    rest: Sequence[Path] = paths
    for form in forms:
        counts = Counter([*chosen.values(), *(form(p) for p in paths)])
        chosen |= {p: form(p) for p in rest if counts[form(p)] == 1}
        rest = [p for p in rest if p not in chosen]
    return {path: chosen[path] for path in paths}


@contextlib.contextmanager
def held_output(output: Path, *, alone: bool) -> Iterator[None]:
    """Hold the folder over all results while a run writes into it.

    The system lets go of it when the process ends, however that is. On a file system
    without locks on folders, such as NFS, nobody is kept out.

    Args:
        output: Is made when it is missing.
        alone: Whether results in it give way, so that another run would mix with it.

    Raises:
        DefectKerasError: When a run is at work there, and that or this one is alone.
    """
    output.mkdir(parents=True, exist_ok=True)
    handle = os.open(output, os.O_RDONLY)
    try:
        fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise DefectKerasError(
            f"{output}: must have no other run at work while --overwrite replaces "
            "results. Received: one that is. Wait for it, or give another --out."
        ) from error
    except OSError:  # no such locks here
        pass
    try:
        yield
    finally:
        os.close(handle)


def require_same_origin(
    folder: Path, run: RunFacts, *, sha256: str | None = None
) -> None:
    """Check that results are those that a run would give.

    Args:
        folder: Of the results.
        run: The model, the settings and the software of the run.
        sha256: Of the micrograph's file; None does not compare it, nor look whether
            all files are there.

    Raises:
        DefectKerasError: When they are of another micrograph, model, version of
            defectkeras or setting, or not whole.
    """
    summary = _read_summary(folder)
    model = None if run.model is None else run.model.sha256
    wanted = _origin(model, run.software, run.settings)
    found = _origin(
        (summary["model"] or {}).get("sha256"), summary["software"], summary["settings"]
    )
    if sha256 is not None:
        wanted["micrograph"], found["micrograph"] = sha256, summary["sha256"]
    differing = [
        name
        for name in dict.fromkeys([*wanted, *found])
        if wanted.get(name) != found.get(name)
    ]
    if sha256 is not None:
        _require_files(folder, summary)
    if differing:
        told = (
            f"{name} was {found.get(name, 'not known')} and is "
            f"{wanted.get(name, 'gone')}"
            for name in differing[:4]
        )
        raise DefectKerasError(
            f"{folder}: must hold results of the same micrograph, model and settings. "
            f"Received: {'; '.join(told)}. "
            f"{_AGAIN if differing == ['micrograph'] else _OTHERS}"
        )


def notes_of_unclaimed(output: Path, names: Iterable[str]) -> tuple[str, ...]:
    """Say which results in a folder are of no micrograph, as after it was renamed.

    Args:
        output: The folder over all results; may be missing.
        names: Of the folders of the micrographs, composed.

    Returns:
        A sentence, where there are such results.
    """
    known = set(names)
    found = sorted(
        composed(summary.parent.name) for summary in output.glob(f"*/{SUMMARY}")
    )
    rest = [name for name in found if name not in known and not name.startswith(".")]
    if not rest:
        return ()
    more = ", ..." if len(rest) > _MOST_NAMED else ""
    return (
        f"{output}: results of other micrographs are there, too, and not in page and "
        f"tables: {', '.join(rest[:_MOST_NAMED])}{more} ({len(rest)}). Name these "
        "micrographs, too, or take the folders away where files were renamed.",
    )


def is_calibrated_since(folder: Path, path: Path) -> bool:
    """Say whether results have no pixel size and a text beside the file now tells it.

    Args:
        folder: Of the results.
        path: Of the micrograph.

    Raises:
        DefectKerasError: When the summary or the text cannot be read.
    """
    summary = _read_summary(folder)
    shape = (summary["height_px"], summary["width_px"])
    has_none = summary["calibration"]["pixel_size_nm"] is None
    return has_none and sidecar_scale(path, shape) is not None


def read_report(folder: Path, *, with_pictures: bool = True) -> MicrographReport:
    """Read back what `measure_into_folder` wrote.

    Args:
        folder: Of the results.
        with_pictures: Whether the pictures and figures of the page are wanted.

    Returns:
        The micrograph's part of the page in the folder above. All warnings are
        among its own, and a number that JSON cannot hold is None.

    Raises:
        DefectKerasError: When a file is missing or cannot be read.
    """
    summary = _read_summary(folder)
    try:
        return _report(folder, summary, with_pictures)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DefectKerasError(
            f"{folder}: must hold all files of a result. Received: {error!r}. {_AGAIN}"
        ) from error


def _read_summary(folder: Path) -> dict[str, Any]:
    try:
        summary: dict[str, Any] = json.loads((folder / SUMMARY).read_bytes())
        if summary["schema"] != SUMMARY_SCHEMA or not set(summary) >= _TOLD:
            raise ValueError(f"schema {summary['schema']}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DefectKerasError(
            f"{folder}: must be a folder of results with {SUMMARY}. Received: another "
            f"one. To keep it give another --out. {_AGAIN}"
        ) from error
    return summary


def _require_files(folder: Path, summary: dict[str, Any]) -> None:
    missing = [n for n in (*summary["files"], PICTURES) if not (folder / n).is_file()]
    if missing:
        raise DefectKerasError(
            f"{folder}: must hold all files of a result. Received: no "
            f"{', '.join(missing[:3])}{' and more' if len(missing) > 3 else ''}. "
            f"{_AGAIN}"
        )


def _origin(model: str | None, software: Any, settings: Any) -> dict[str, str]:
    """Give what decides on a result, as text that can be compared."""
    plain = json.loads(json.dumps(settings))  # as if it came from a file
    return {
        "model": str(model),
        "defectkeras": str(software["defectkeras"]).partition("+")[0],  # no revision
        **flatten(plain),
    }


def _report(
    folder: Path, summary: dict[str, Any], with_pictures: bool
) -> MicrographReport:
    def table(name: str) -> pd.DataFrame:
        return pd.read_parquet(folder / f"{name}.parquet")

    def parse(form: type[Any], mapping: Any) -> Any:
        return from_mapping(form, mapping, where=f"{folder / SUMMARY}")

    classes = tuple(parse(DefectClass, entry) for entry in summary["classes"])
    quantification = Quantification(
        objects=table("objects"),
        lines=table("lines"),
        segments=table("segments"),
        traces=table("traces"),
        distributions=table("sizes"),
        quantities=tuple(_quantity(entry) for entry in summary["quantities"]),
        calibration=parse(Calibration, summary["calibration"]),
        scheme=LabelScheme(classes),
        shape=(summary["height_px"], summary["width_px"]),
        settings=parse(QuantifySettings, summary["quantification_settings"]),
    )
    return MicrographReport(
        name=summary["micrograph"],
        quantification=quantification,
        pictures=_read_pictures(folder / PICTURES) if with_pictures else None,
        figures=_read_figures(folder, summary["files"]) if with_pictures else {},
        warnings=tuple(summary["warnings"]),
        files=summary["files"],
        sha256=summary["sha256"],
        file=summary.get("file"),
        places=Places(table("places"), table("pairs"), table("orientations")),
        applicability=summary.get("applicability"),
    )


def _read_pictures(path: Path) -> Pictures:
    return from_mapping(Pictures, json.loads(path.read_bytes()), where=str(path))


def _read_figures(folder: Path, files: Iterable[str]) -> dict[str, str]:
    """Give the SVG documents among the files of a folder by their names."""
    names = (name for name in map(Path, files) if name.suffix == ".svg")
    return {n.stem: (folder / n).read_text(encoding="utf-8") for n in names}


def _quantity(entry: dict[str, Any]) -> Quantity:
    """Give a quantity from what `Quantity.to_dict` gave."""
    known = {name: value for name, value in entry.items() if name != "method_text"}
    parts = {k: v for k, v in known.pop("parts").items() if v is not None}
    return Quantity(**known, parts=parts)
