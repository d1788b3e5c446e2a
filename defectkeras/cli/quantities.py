"""Quantities in the terminal, one line each."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from defectkeras.quantification.quantify import Quantification


def echo_quantities(title: str, quantification: "Quantification") -> None:
    """Print the quantities of a micrograph on stdout, with intervals and reasons."""
    from defectkeras.reporting.views import calibration_facts, quantity_groups

    click.echo(title)
    facts = calibration_facts(quantification.calibration, quantification.shape)
    for name, value, source in facts[:2]:  # pixel size and foil thickness
        click.echo(f"  {name}: {value} ({source})" if source else f"  {name}: {value}")
    for group in quantity_groups(quantification):
        click.echo(f"  {group.class_name}")
        for row in group.rows:
            interval = f"[{row.interval}]" if row.interval else ""
            value = f"{row.value} {row.unit}"
            click.echo(f"    {row.label:<42} {value:<20} {interval}".rstrip())
        for missing in group.missing:
            click.echo(f"    missing: {missing.labels} ({missing.reason})")
