"""A comparison for the terminal."""

from collections.abc import Iterator

from defectkeras.core.plurals import counted
from defectkeras.quantification.comparison import Comparison
from defectkeras.reporting.comparison_views import (
    TextTable,
    count_view,
    difference_view,
    kappa_view,
    pair_view,
    paired_test_view,
    spread_view,
)


def comparison_lines(comparison: Comparison) -> Iterator[str]:
    """Give the lines that a person reads.

    Args:
        comparison: What was compared.
    """
    yield f"{counted(len(comparison.fields), 'field')} that all have annotated"
    yield from _lines(count_view(comparison))
    yield ""
    yield f"pairs, over all fields; objects match from an IoU of {comparison.min_iou:g}"
    yield from _lines(pair_view(comparison))
    yield ""
    yield from _lines(kappa_view(comparison))
    yield ""
    yield "fields one by one: differences (Bland-Altman)"
    yield from _lines(difference_view(comparison))
    yield ""
    yield "p of paired tests; Holm: signed ranks, adjusted for all of them"
    yield from _lines(paired_test_view(comparison))
    for reason in dict.fromkeys(d.tests.reason for d in comparison.differences):
        if reason:
            yield f"no test: {reason}"
    if comparison.spreads:
        yield ""
        yield "the models within the spread of the people"
        yield from _lines(spread_view(comparison))


def _lines(table: TextTable) -> Iterator[str]:
    columns = list(zip(table.head, *table.rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    for row in (table.head, *table.rows):
        cells = [
            text.ljust(width) if i < table.text_columns else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
