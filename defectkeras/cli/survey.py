"""What `defectkeras data fingerprint` prints for people."""

from typing import TYPE_CHECKING

import click

from defectkeras.cli.options import talk
from defectkeras.core.plurals import counted

if TYPE_CHECKING:
    from defectkeras.datasets.survey import ClassSurvey, Spread, Survey


def echo_survey(survey: "Survey") -> None:
    """Print what was measured; of each size the 5th, 50th and 95th percentile."""
    click.echo(f"fingerprint     {survey.fingerprint}")
    specimens = counted(survey.specimens, "specimen")
    click.echo(
        f"micrographs     {survey.examples} of {specimens}, "
        f"{survey.pixels / 1e6:.4g} million pixels"
    )
    sizes = {
        "height": f"{tell_spread(survey.heights_px)} px",
        "width": f"{tell_spread(survey.widths_px)} px",
        "pixel size": _pixel_sizes(survey),
        "median grey": f"{tell_spread(survey.grey_middles)} of the grey range",
        "scan roughness": tell_spread(survey.scan_roughness),
        "brightness": f"slopes by {tell_spread(survey.brightness_slopes)} of the range",
        "not annotated": f"{100 * survey.not_annotated:.3g} %, in "
        f"{counted(survey.examples_with_gaps, 'micrograph')}",
    }
    for name, text in sizes.items():
        click.echo(f"{name:<15} {text}")
    for percent, levels in survey.grey_levels.items():
        click.echo(f"grey at {percent + ' %':<7} {tell_spread(levels)}")
    for entry in survey.classes:
        click.echo(_class_line(entry))
    talk("Where there are three numbers: 5th, 50th and 95th percentile.")


def tell_spread(spread: "Spread | None") -> str:
    """Give the three percentiles.

    Example:
        >>> from defectkeras.datasets.survey import Spread
        >>> tell_spread(Spread(9, 1.0, 2.5, 1234.5))
        '1 - 2.5 - 1234'
        >>> tell_spread(None)
        'unknown'
    """
    if spread is None:
        return "unknown"
    numbers = (spread.smallest, spread.median, spread.largest)
    return " - ".join(f"{n:.0f}" if abs(n) >= 1000 else f"{n:.3g}" for n in numbers)


def _pixel_sizes(survey: "Survey") -> str:
    if survey.pixel_sizes_nm is None:
        return "not known"
    unknown = survey.unknown_pixel_sizes
    rest = f", not known in {counted(unknown, 'micrograph')}" if unknown else ""
    return f"{tell_spread(survey.pixel_sizes_nm)} nm{rest}"


def _class_line(entry: "ClassSurvey") -> str:
    line = (
        f"{entry.name:<15} {entry.kind:<7} {100 * entry.fraction:6.2f} %, in "
        f"{counted(entry.examples, 'micrograph')}"
    )
    if entry.contrasts and entry.kind != "matrix":
        line += f"; contrast {tell_spread(entry.contrasts)}"
    sizes_px = entry.diameters_px or entry.line_widths_px
    sizes_nm = entry.diameters_nm or entry.line_widths_nm
    if sizes_px is None:
        return line
    what = (
        "width" if entry.kind == "line" else f"{counted(sizes_px.count, 'object')} of"
    )
    in_nm = f" = {tell_spread(sizes_nm)} nm" if sizes_nm else ""
    return f"{line}; {what} {tell_spread(sizes_px)} px{in_nm}"
