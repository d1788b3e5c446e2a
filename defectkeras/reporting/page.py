"""One HTML page over all micrographs that opens without a network.

Styles, script and pictures are within the file. A content security policy allows
nothing else: no request leaves the reader's machine, and text from file names or
metadata can never run, as only the one script with the right hash may.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from defectkeras.core.files import whole_file
from defectkeras.core.palette import hex_color
from defectkeras.core.strict import leaves
from defectkeras.reporting.field_view import field_view
from defectkeras.reporting.methods_text import methods_paragraph, references
from defectkeras.reporting.overview import make_overview
from defectkeras.reporting.pictures import Pictures
from defectkeras.reporting.results import (
    FailedFile,
    MicrographReport,
    ModelFacts,
    RunFacts,
)
from defectkeras.reporting.targets import object_targets
from defectkeras.reporting.vector import svg_element
from defectkeras.reporting.views import (
    QuantityGroup,
    TableView,
    applicability_facts,
    calibration_facts,
    method_name,
    methods_in_use,
    quantity_groups,
    table_view,
)

MAX_SHOWN = 100
"""A page shows so many micrographs one by one; its overview has them all."""


@dataclass(frozen=True)
class MicrographView:
    """One micrograph as the template shows it."""

    name: str
    pictures: Pictures | None
    warnings: tuple[str, ...]
    files: Mapping[str, str]
    file: str | None
    sha256: str | None
    facts: list[tuple[str, str, str]]
    groups: list[QuantityGroup]
    figures: list[tuple[str, Markup]]
    targets: str
    tables: list[tuple[str, TableView, str | None]]


def write_page(
    run: RunFacts,
    micrographs: Sequence[MicrographReport],
    path: Path,
    *,
    failed: Sequence[FailedFile] = (),
    notes: Sequence[str] = (),
    tables: Sequence[str] = (),
) -> None:
    """Write the page, whole or not at all.

    Args:
        run: What all micrographs share.
        micrographs: In the order of the page; of those after the first `MAX_SHOWN`
            only the quantities are shown.
        path: Of the HTML file.
        failed: Files that could not be analyzed.
        notes: What to know of all micrographs together.
        tables: Files over all micrographs beside the page.
    """
    environment = page_environment()
    script, style = (read_part(environment, name) for name in ("page.js", "page.css"))
    quantifications = [m.quantification for m in micrographs]
    statistics = {s for m in micrographs for s in m.places.statistics["statistic"]}
    stream = environment.get_template("page.html").generate(
        run=run,
        policy=page_policy(script),
        script=Markup(script),
        style=Markup(style),
        failed=failed,
        notes=notes,
        tables=tables,
        overview=make_overview(quantifications),
        fields=field_view(quantifications),
        micrographs=micrographs,
        shown=[_view(m, f"m{i}") for i, m in enumerate(micrographs[:MAX_SHOWN], 1)],
        methods=methods_in_use(quantifications),
        paragraph=methods_paragraph(run, quantifications, statistics),
        references=references(quantifications, statistics),
        shown_quantities={
            q.name for m in quantifications for q in m.quantities if q.value is not None
        },
        model_facts=[] if run.model is None else _model_facts(run.model),
        settings=flatten(run.settings),
    )
    with (
        whole_file(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace") as file,
    ):
        file.writelines(stream)


def flatten(settings: Mapping[str, Any]) -> dict[str, str]:
    """Give settings in settings as one list of names and texts.

    Example:
        >>> flatten({"segment": {"tile_size": 512}, "frame": None})
        {'segment.tile_size': '512', 'frame': 'not set'}
    """
    return {name: _as_text(value) for name, value in leaves(settings)}


def _as_text(value: Any) -> str:
    """Write a setting."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "not set" if value is None else str(value)


def page_environment(package: str = "defectkeras.reporting") -> Environment:
    """Give the templates of a package, in which everything is escaped."""
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "hex": hex_color,
        "method_name": method_name,
        "options": mark_options,
        "when": format_time,
    }
    return environment


def format_time(text: str) -> str:
    """Give an ISO 8601 time as people read it; other text as it is.

    Example:
        >>> format_time("2026-11-22T10:58:03+00:00"), format_time("yesterday")
        ('2026-11-22 10:58 UTC', 'yesterday')
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{moment:%Y-%m-%d %H:%M %Z}".strip()


def mark_options(text: str) -> Markup:
    """Give text as HTML in which an option such as --out is not broken in two.

    Example:
        >>> print(mark_options("a < b: use --pixel-size-nm"))
        a &lt; b: use <span class="nobreak">--pixel-size-nm</span>
    """
    safe = str(escape(text))
    marked = re.sub(r"--[a-z][a-z-]*", r'<span class="nobreak">\g<0></span>', safe)
    return Markup(marked)


def _model_facts(model: ModelFacts) -> list[tuple[str, str]]:
    """Give what a reader should know of a model, in words."""
    sizes = model.pixel_size_range_nm
    facts = [
        ("What it does", model.description),
        ("Intended use", model.intended_use),
        ("Limits", model.limits),
        ("Trained on", model.dataset_name),
        ("At pixel sizes", "" if sizes is None else f"{sizes[0]:g} to {sizes[1]:g} nm"),
        ("Architecture", model.architecture),
        ("License", model.license),
        ("Cite", model.attribution),
        ("SHA-256", model.sha256),
    ]
    return [(name, value) for name, value in facts if value]


def page_policy(script: str) -> str:
    """Allow embedded pictures, our styles and this one script; nothing else."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def read_part(environment: Environment, name: str) -> str:
    """Give a file of the templates folder as it is."""
    if environment.loader is None:
        raise ValueError("`environment` must have a loader.")
    return environment.loader.get_source(environment, name)[0]


def _view(micrograph: MicrographReport, page_id: str) -> MicrographView:
    quantification = micrograph.quantification
    tables = [
        (title, table_view(table), micrograph.files.get(file))
        for title, table, file in (
            ("Objects", quantification.objects, "objects.csv"),
            ("Lines", quantification.lines, "lines.csv"),
        )
        if len(table)
    ]
    return MicrographView(
        name=micrograph.name,
        pictures=micrograph.pictures,
        warnings=micrograph.all_warnings,
        files=micrograph.files,
        file=micrograph.file,
        sha256=micrograph.sha256,
        facts=[
            *calibration_facts(quantification.calibration, quantification.shape),
            *applicability_facts(micrograph.applicability),
        ],
        groups=quantity_groups(quantification),
        figures=[
            (name, Markup(svg_element(svg, f"{page_id}{name}")))
            for name, svg in micrograph.figures.items()
        ],
        targets=object_targets(quantification),
        tables=tables,
    )
