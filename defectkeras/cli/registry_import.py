"""`defectkeras registry import`: a version from elsewhere."""

import math
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from defectkeras.cli.options import (
    EXISTING,
    POSITIVE,
    dry_run_option,
    echo_json,
    json_option,
    registry_option,
    talk,
)
from defectkeras.cli.quiet import start_tensorflow

if TYPE_CHECKING:
    from defectkeras.registry.version import ModelVersion


class _Numbers(click.ParamType[tuple[float, ...]]):
    """One number, or several with commas between them."""

    name = "numbers"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Read them."""
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(float(word) for word in value.split(","))
        except ValueError:
            numbers = (math.nan,)
        if not all(map(math.isfinite, numbers)):
            self.fail(
                f"{value!r} must be numbers with commas between them.", param, ctx
            )
        return numbers


@click.command("import")
@click.argument("path", type=EXISTING)
@click.option(
    "--trust", is_flag=True, help="You know who made the archive: a model is a program."
)
@click.option("--name", help="Name in the registry; an archive has its own.")
@click.option(
    "--classes",
    metavar="matrix,NAME:KIND,...",
    help='Classes of its output, such as "matrix, dislocation:line, void:region".',
)
@click.option("--spec", type=EXISTING, help="Data spec that has these classes.")
@click.option(
    "--scale",
    type=_Numbers(),
    help="Grey level of white in its training: 1, or 255 for raw 8-bit images.",
)
@click.option(
    "--offset",
    type=_Numbers(),
    help="Added after --scale: -1 for grey levels of -1 to 1, with --scale 2. Both "
    "are one number, or one for each channel, such as -103.9,-116.8,-123.7.",
)
@click.option(
    "--skip-layer",
    "skip_layers",
    metavar="NAME",
    multiple=True,
    help="Layer to leave out, by its name or class, such as a Lambda that --scale "
    "replaces; repeatable.",
)
@click.option(
    "--pixel-size-nm",
    type=(POSITIVE, POSITIVE),
    metavar="MIN MAX",
    help="Pixel sizes in its training data, in nm.",
)
@click.option("--image", type=EXISTING, help="Micrograph to check each copy on.")
@click.option("--description", help="One sentence for the model card.")
@click.option("--license", "license_", help="Its license.  [default: not told]")
@click.option("--attribution", help="Whom to cite.  [default: not told]")
@registry_option
@dry_run_option
@json_option
def import_version(
    path: Path,
    trust: bool,
    registry_root: Path,
    dry_run: bool,
    as_json: bool,
    **told: Any,
) -> None:
    """Import a model that was made elsewhere as a new version.

    PATH is an archive of `registry export`, which needs --trust; or, with --name and
    the classes, a model of Keras 2 or 3, with layers of tensorflow-addons or not (.h5,
    .keras; of Keras 2 also the folder of a SavedModel), or a checkpoint of TensorFlow
    1 that DefectSegNet's authors released (its .index file). Nothing in these is run;
    a layer that is not known is refused. A model of color images sees the grey levels
    in each of its channels.
    """
    start_tensorflow()
    if _is_archive(path):
        _require_untold(told)
        done = _import_archive(path, trust, registry_root, dry_run)
    else:
        done = _import_model(path, registry_root, dry_run, told)
    if isinstance(done, dict):  # what would be imported
        if as_json:
            echo_json(done)
        return
    if as_json:
        echo_json({"reference": done.reference, "sha256": done.sha256})
    talk(f"{done.reference} is in {done.path}; sha256 {done.sha256}.")


def _is_archive(path: Path) -> bool:
    """Tell whether a file is an archive, or was one before it was damaged."""
    is_named_so = path.name.lower().endswith((".tar.gz", ".tgz", ".tar"))
    return path.is_file() and (is_named_so or tarfile.is_tarfile(path))


def _require_untold(told: dict[str, Any]) -> None:
    """Refuse what an archive tells itself, as nothing of a version can be changed."""
    given = [name.strip("_").replace("_", "-") for name, v in told.items() if v]
    if given:
        raise click.UsageError(
            f"An archive tells this itself: leave out --{', --'.join(given)}."
        )


def _import_archive(
    path: Path, trust: bool, registry_root: Path, dry_run: bool
) -> "ModelVersion | dict[str, Any]":
    """Import what `registry export` wrote, or tell what is in it."""
    from defectkeras.registry.archive import import_archive, opened_archive
    from defectkeras.registry.store import ModelRegistry

    if not dry_run:
        return import_archive(ModelRegistry(registry_root), path, trust=trust)
    with opened_archive(path) as found:
        does = "; ".join(found.unusual) or "nothing beyond computing"
        talk(f"{path} holds {found.card.name}, sha256 {found.sha256}: {does}.")
        facts = {"name": found.card.name, "sha256": found.sha256}
        return {**facts, "unusual": list(found.unusual)}


def _import_model(
    path: Path, registry_root: Path, dry_run: bool, told: dict[str, Any]
) -> "ModelVersion | dict[str, Any]":
    """Import a model of an older format, or tell what it is."""
    from defectkeras.datasets.spec import load_dataset_spec
    from defectkeras.workflows.import_model import (
        ImportRequest,
        import_model,
        read_classes,
        read_model,
    )

    if told["name"] is None:
        raise click.UsageError("Name the model: --name.")
    classes, spec = told["classes"], told["spec"]
    if (classes is None) == (spec is None):
        raise click.UsageError("Name the classes: either --classes or --spec.")
    request = ImportRequest(
        path,
        told["name"],
        load_dataset_spec(spec).scheme if spec else read_classes(classes),
        registry_root=registry_root,
        scale=told["scale"],
        offset=told["offset"] or (0.0,),
        skip_layers=told["skip_layers"],
        pixel_size_range_nm=told["pixel_size_nm"],
        golden_path=told["image"],
        description=told["description"],
        license=told["license_"] or "not told",
        attribution=told["attribution"] or "not told",
    )
    imported = read_model(request)
    parameters, maps = imported.model.count_params(), imported.model.output_shape[-1]
    talk(
        f"{path}: {imported.architecture}, {parameters:,} parameters, {maps} maps, "
        f"stride {imported.stride} px"
    )
    if not dry_run:
        return import_model(request, imported)
    return {
        "name": request.name,
        "architecture": imported.architecture,
        "parameters": parameters,
        "maps": maps,
        "stride": imported.stride,
    }
