"""One HTML page over a comparison, and its figures as files."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from markupsafe import Markup
from matplotlib.figure import Figure

from defectkeras.core.files import whole_file
from defectkeras.quantification.comparison import Comparison
from defectkeras.reporting.agreement_figures import draw_bland_altman, draw_fields
from defectkeras.reporting.agreement_pictures import AgreementPicture
from defectkeras.reporting.comparison_views import (
    count_view,
    difference_view,
    kappa_view,
    pair_view,
    paired_test_view,
    spread_view,
)
from defectkeras.reporting.page import flatten, page_environment, page_policy, read_part
from defectkeras.reporting.results import RunFacts
from defectkeras.reporting.vector import svg_element, write_vector

MAX_FIGURES = 24
"""A page shows so many figures; the folder has them all."""


def write_comparison_page(
    comparison: Comparison,
    run: RunFacts,
    path: Path,
    *,
    pictures: Sequence[AgreementPicture] = (),
) -> None:
    """Write the page, whole or not at all, and its figures into figures/ beside it.

    Args:
        comparison: What was compared.
        run: What made it.
        path: Of the HTML file.
        pictures: Of the first fields.
    """
    environment = page_environment()
    script = read_part(environment, "page.js")
    figures = []
    for number, (title, figure) in enumerate(_figures(comparison), start=1):
        place = path.parent / "figures" / f"figure_{number:02d}"
        svg = write_vector(figure, place, title)
        if number <= MAX_FIGURES:
            figures.append(Markup(svg_element(svg, f"f{number}")))
    text = environment.get_template("comparison.html").render(
        comparison=comparison,
        run=run,
        policy=page_policy(script),
        script=Markup(script),
        style=Markup(read_part(environment, "page.css")),
        counts=count_view(comparison),
        pairs=pair_view(comparison),
        kappas=kappa_view(comparison),
        differences=difference_view(comparison),
        tests=paired_test_view(comparison),
        spreads=spread_view(comparison),
        pictures=pictures,
        figures=figures,
        reasons=list(
            dict.fromkeys(
                d.tests.reason for d in comparison.differences if d.tests.reason
            )
        ),
        settings=flatten(run.settings),
    )
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _figures(comparison: Comparison) -> Iterator[tuple[str, Figure]]:
    """Give the fields of all annotators, and Bland-Altman of each pair."""
    shown = dict.fromkeys((d.class_name, d.name) for d in comparison.differences)
    for class_name, name in shown:
        own = [
            d
            for d in comparison.differences
            if (d.class_name, d.name) == (class_name, name)
        ]
        figure = draw_fields(comparison.values, comparison.annotators, class_name, name)
        yield f"{name} of {class_name}, all annotators", figure
        for difference in own:
            if difference.limits is not None:
                title = (
                    f"Differences of {name}: {difference.first}, {difference.second}"
                )
                yield title, draw_bland_altman(difference)
