"""Vector figures: within a page as SVG, and as SVG and PDF files for a paper."""

import contextlib
import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import escape
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from defectkeras.core.files import whole_file, write_whole
from defectkeras.reporting.numbers import scaled_unit

INK = "#1d2730"
SOFT = "#5b6873"

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # letters stay letters: small, sharp and searchable
    "svg.hashsalt": "defectkeras",  # the same figure, the same bytes
    "pdf.fonttype": 42,  # letters stay letters that can be edited
    "font.family": "sans-serif",
    "font.size": 10.0,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.0,
    "figure.constrained_layout.use": True,
    "legend.fontsize": 9.0,
    "legend.frameon": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "text.parse_math": False,  # a class may be called "$x$"
}
_METADATA = {
    "svg": dict.fromkeys(("Creator", "Date", "Format", "Type")),
    "pdf": {"CreationDate": None},
}


@contextlib.contextmanager
def vector_style() -> Iterator[None]:
    """Give figures drawn in the block the look of the page."""
    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]
        yield


def label_axis(axis: Axis, label: str, unit: str) -> None:
    """Write what an axis shows, with a power of ten of its numbers in the unit.

    Args:
        axis: With its data drawn and its limits set.
        label: What it shows.
        unit: Of the data; "" for a bare number.
    """
    size = float(np.abs(axis.get_view_interval()).max())
    exponent, shown = scaled_unit(size, unit)
    if exponent:
        axis.set_major_formatter(
            lambda value, _: f"{value / 10.0**exponent:g}".replace("-", "−")
        )
    axis.set_label_text(f"{label} ({shown})" if shown else label)


def draw_svg(figure: Figure, label: str) -> str:
    """Give a figure as an SVG document.

    Args:
        figure: Drawn within `vector_style`. What it is made of keeps its place from
            now on.
        label: What it shows, as the title of the document.
    """
    buffer = io.StringIO()
    with vector_style():
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # each file would make the layout anew, twice
        figure.savefig(
            buffer, format="svg", metadata=_METADATA["svg"] | {"Title": label}
        )
    return buffer.getvalue()


def svg_element(svg: str, figure_id: str) -> str:
    """Give an SVG document as an element of a page, with names that no other has.

    Args:
        svg: From `draw_svg`; its title is read out to people who hear the page.
        figure_id: Letters and digits, unlike that of any other figure in the
            page, as names within an SVG are names of the page.

    Returns:
        An <svg> element.

    Raises:
        ValueError: When there is no <svg> in it.
    """
    element = svg[svg.index("<svg") :]
    title = re.search(r"<title>(.*?)</title>", element, flags=re.DOTALL)
    label = escape(unescape(title[1])) if title else ""
    # Comments say nothing, a title would hide what is beneath the pointer, and a
    # style would hold for the whole page.
    element = re.sub(
        r"<!--.*?-->\s*|<(style|title|metadata)\b.*?</\1>\s*",
        "",
        element,
        flags=re.DOTALL,
    )
    element = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{figure_id}-", element)
    head = f'<svg role="img" aria-label="{label}" '
    return element.replace("<svg ", head, 1)


def write_vector(figure: Figure, path: Path, label: str) -> str:
    """Write a figure as SVG and as PDF, each whole or not at all.

    Args:
        figure: Drawn within `vector_style`.
        path: Without suffix.
        label: What it shows, as the title of both.

    Returns:
        The SVG document.
    """
    svg = draw_svg(figure, label)
    write_whole(path.with_name(f"{path.name}.svg"), svg)
    with whole_file(path.with_name(f"{path.name}.pdf")) as temporary, vector_style():
        figure.savefig(
            temporary, format="pdf", metadata=_METADATA["pdf"] | {"Title": label}
        )
    return svg
