"""Class maps that were measured into a folder before, for the page over all of them."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from defectkeras.core.errors import DefectKerasError
from defectkeras.reporting.page import MAX_SHOWN, write_page
from defectkeras.reporting.results import MicrographReport, RunFacts
from defectkeras.workflows.analysis.result_folder import read_report
from defectkeras.workflows.annotated import find_fields
from defectkeras.workflows.measure import SUMMARY

_ELSEWHERE = {"of each class map": "in its summary.json"}


def read_measured(folder: Path, target: Path) -> list[MicrographReport]:
    """Read the results of other class maps in a folder.

    Args:
        folder: Over all results; may be missing.
        target: Of the results to come, which are not read.

    Raises:
        DefectKerasError: When a result cannot be read, or is of `analyze`, whose page
            over all of them would be lost.
    """
    others = sorted(s.parent for s in folder.glob(f"*/{SUMMARY}"))
    others = [o for o in others if o != target and not o.name.startswith(".")]
    for other in others:
        (field,) = find_fields(other)
        if field.model is not None:
            raise DefectKerasError(
                f"{folder}: must hold results of class maps alone, which share a page. "
                f"Received: {other.name}, analyzed with {field.model}. Give another "
                "--out."
            )
    return [
        read_report(other, with_pictures=number < MAX_SHOWN)
        for number, other in enumerate(others)
    ]


def write_shared_page(
    run: RunFacts,
    report: MicrographReport,
    others: Sequence[MicrographReport],
    path: Path,
) -> None:
    """Write the page over a class map and those that were measured before.

    Args:
        run: That of the class map. Of several the page tells neither its command nor
            its settings.
        report: Of the class map.
        others: Of those before.
        path: Of the page.
    """
    if others:
        run = dataclasses.replace(run, settings=_ELSEWHERE, command="")
    write_page(run, sorted([report, *others], key=lambda r: r.name), path)
