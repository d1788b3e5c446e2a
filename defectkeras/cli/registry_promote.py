"""`defectkeras registry promote` and `rollback`: into production, and back."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from defectkeras.cli.options import (
    EXISTING,
    complete_models,
    dry_run_option,
    echo_json,
    json_option,
    reference_argument,
    registry_option,
    root_option,
    split_option,
    talk,
    why_option,
)
from defectkeras.cli.progress import progress_bar
from defectkeras.cli.quiet import start_tensorflow

if TYPE_CHECKING:
    from defectkeras.workflows.promote import Promotion


@click.command()
@reference_argument
@click.option("--alias", default="production", help="The alias that is moved.")
@click.option(
    "--gate",
    type=EXISTING,
    metavar="SPEC",
    help="Data on which the candidate must be as good as the current version.",
)
@split_option
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="NAME=NUMBER",
    help="A limit of the gate, such as most_latency_ratio=1.5; repeatable.",
)
@why_option
@root_option
@registry_option
@dry_run_option
@json_option
def promote(
    reference: str,
    alias: str,
    gate: Path | None,
    split: str,
    rules: tuple[str, ...],
    why: str,
    root: Path | None,
    registry_root: Path,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Let an alias mean a version, when it passes the gate.

    With --gate, the candidate and the version that the alias means are evaluated on
    the same data, and the alias moves only when the rules hold. The decision and
    both score sheets are kept in the registry; exit status 1 when it is refused.
    """
    from defectkeras.workflows.promote import (
        GateRequest,
        plan_promotion,
        promote,
        read_rules,
    )

    request = None
    if gate is not None:
        request = GateRequest(gate, split, root, read_rules(rules))
    elif rules:
        raise click.UsageError("--rule is of use with --gate only.")
    plan = plan_promotion(
        reference, alias=alias, gate=request, registry_root=registry_root
    )  # tells what is wrong with the names before TensorFlow starts
    _tell_learners(plan)
    if dry_run:
        _tell_plan(plan, gate, as_json)
        return
    if gate is not None:
        start_tensorflow()
    with progress_bar("evaluating") as on_progress:
        promotion = promote(
            reference,
            alias=alias,
            gate=request,
            why=why,
            registry_root=registry_root,
            on_progress=on_progress,
        )
    if as_json:
        echo_json(
            {
                "name": promotion.name,
                "alias": promotion.alias,
                "version": promotion.version,
                "before": promotion.before,
                "passed": promotion.passed,
                "checks": [dataclasses.asdict(c) for c in promotion.checks],
                "record": str(promotion.record) if promotion.record else None,
            }
        )
    _tell_checks(promotion)
    before = promotion.before or "nothing"
    if not promotion.passed:
        raise click.ClickException(
            f"{reference} was refused against {before}; {alias} was not moved. "
            f"See {promotion.record}."
        )
    talk(f"{promotion.name}@{alias}: {before} -> {promotion.version}")


def _tell_checks(promotion: "Promotion") -> None:
    for check in promotion.checks:
        word = "ok" if check.holds else "NOT"
        figure = "nothing" if check.candidate is None else f"{check.candidate:.4g}"
        talk(f"{word:>4}  {check.rule} {check.limit:.4g}: {figure}")


def _tell_learners(plan: "Promotion") -> None:
    for reference, count in plan.learned_from.items():
        talk(
            f"{reference} has learned from {count} of these micrographs: its scores "
            "are too good. Judge it on others."
        )


def _tell_plan(plan: "Promotion", gate: Path | None, as_json: bool) -> None:
    """Say what would be promoted."""
    passes = f"when it passes the gate on {gate}" if gate else "without a gate"
    talk(f"Would let {plan.alias} mean {plan.name}@{plan.version}, {passes}.")
    if as_json:
        move = {"name": plan.name, "alias": plan.alias, "version": plan.version}
        echo_json({**move, "before": plan.before, "gate": str(gate) if gate else None})


@click.command()
@click.argument("name", shell_complete=complete_models)
@click.option("--alias", default="production", help="The alias that is moved.")
@why_option
@registry_option
@dry_run_option
@json_option
def rollback(
    name: str,
    alias: str,
    why: str,
    registry_root: Path,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Let an alias of NAME mean what it meant before."""
    from defectkeras.registry.store import ModelRegistry

    models = ModelRegistry(registry_root)
    before: int | None
    if dry_run:
        back = models.version_before(name, alias)
        before = models.aliases(name)[alias]
    else:
        move = models.rollback(name, alias, why=why)
        before, back = move.from_version, move.to_version
    talk(f"{'Would: ' * dry_run}{name}@{alias}: {before} -> {back}")
    if as_json:
        echo_json({"name": name, "alias": alias, "version": back, "before": before})
