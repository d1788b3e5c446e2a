"""`defectkeras deploy`: the files that run another server over the registry."""

from pathlib import Path

import click

from defectkeras.cli.options import (
    FOLDER,
    dry_run_option,
    echo_json,
    json_option,
    overwrite_option,
    registry_option,
    talk,
)


@click.group()
def deploy() -> None:
    """Write what runs another server over the registry."""


@deploy.command("tf-serving")
@click.option("--out", type=FOLDER, required=True, help="Folder for the files.")
@click.option(
    "--batching",
    is_flag=True,
    help="Compute requests together; for clients that send tiles of one size alone.",
)
@overwrite_option
@registry_option
@dry_run_option
@json_option
def tf_serving(
    out: Path,
    batching: bool,
    overwrite: bool,
    registry_root: Path,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write what runs TensorFlow Serving over the registry.

    A compose file for the official image, its configuration, a health check and a
    README with the commands go to --out; models.config goes into the registry and
    follows `registry promote`, `rollback` and `alias` from then on.
    """
    from defectkeras.core.files import require_free
    from defectkeras.registry.names import WHERE_MODELS_ARE
    from defectkeras.registry.store import ModelRegistry
    from defectkeras.serving.deployment import plan_deployment, write_deployment

    models = ModelRegistry(registry_root)
    if not models.names():
        raise click.ClickException(
            f"The registry {registry_root} must have a model. {WHERE_MODELS_ARE}"
        )
    plan = plan_deployment(models, out, batching=batching)
    files = [*(str(out / name) for name in plan.files), str(plan.server_config)]
    if not dry_run:
        require_free(out, overwrite=overwrite)
        write_deployment(models, plan, replace=overwrite)
    if as_json:
        echo_json({"written": not dry_run, "files": files})
    talk(f"{'Would write' if dry_run else 'Wrote'} {', '.join(files)}.")
    if dry_run:
        talk(plan.server_config_text)
    else:
        talk(f"Next: cd {out} && docker compose up --detach --wait")
