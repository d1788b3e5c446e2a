"""Options that several commands share, each written once."""

import contextlib
import json
import logging
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from defectkeras.cli.decimal import Decimal
from defectkeras.cli.text_folder import TextFolder

Command = TypeVar("Command", bound=Callable[..., Any])
EXISTING = click.Path(exists=True, path_type=Path)
FOLDER = TextFolder()
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
POSITIVE = Decimal(min=0, min_open=True)


def complete_models(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the name of a model, its versions and its aliases."""
    from defectkeras.registry.store import ModelRegistry

    models = ModelRegistry(ctx.params.get("registry_root"))
    words: list[str] = []
    for name in models.names():
        words.append(name)
        words += [f"{name}@{number}" for number in models.versions(name)]
        words += [f"{name}@{alias}" for alias in models.aliases(name)]
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


reference_argument = click.argument(
    "reference", metavar="NAME[@VERSION|@ALIAS]", shell_complete=complete_models
)

registry_option = click.option(
    "--registry",
    "registry_root",
    type=FOLDER,
    envvar="DEFECTKERAS_REGISTRY",
    default=Path("saved_models"),
    help="Folder of the model registry [env: DEFECTKERAS_REGISTRY].",
)

RUNTIMES = (
    "tensorflow",
    "onnxruntime",
    "openvino",
    "openvino_bf16",
    "litert",
    "litert_int8",
)


def runtime_options(command: Command) -> Command:
    """Add --runtime and --url to a command."""
    command = click.option(
        "--url",
        help="Server to ask with --runtime serving, such as grpc://127.0.0.1:8500 or "
        "http://127.0.0.1:8501.",
    )(command)
    return click.option(
        "--runtime",
        type=click.Choice([*RUNTIMES, "serving"]),
        default="tensorflow",
        help="What computes the network: serving asks the server at --url; all others "
        "than tensorflow need `defectkeras registry convert` first.",
    )(command)


root_option = click.option(
    "--root",
    type=FOLDER,
    help="Folder of the micrographs, in place of the one that the data spec names.",
)


def parse_settings(
    ctx: click.Context, param: click.Parameter, words: tuple[str, ...]
) -> dict[str, Any]:
    """Turn KEY=VALUE into a table; a value is TOML or plain text."""
    settings: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not (key and equals):
            raise click.BadParameter(f"{word!r} must be KEY=VALUE.")
        try:
            settings[key] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            settings[key] = text
    return settings


split_option = click.option(
    "--split",
    type=click.Choice(["train", "val", "test"]),
    default="test",
    help="Part of the data.",
)

tolerance_option = click.option(
    "--tolerance-px",
    type=Decimal(min=0),
    default=2.0,
    help="How far a boundary may be off.",
)

set_model_option = click.option(
    "--set-model",
    "model_settings",
    metavar="KEY=VALUE",
    multiple=True,
    callback=parse_settings,
    help="Argument of the network's builder, such as encoder=mobilenet_v2; repeatable.",
)

set_option = click.option(
    "--set",
    "any_settings",
    metavar="KEY=VALUE",
    multiple=True,
    callback=parse_settings,
    help="Any setting, such as epochs=9, augmentation.gamma=0.2 or "
    "model.upsampling=nearest; repeatable.",
)

plan_option = click.option(
    "--plan",
    type=EXISTING,
    help="TOML file, such as `defectkeras plan` writes; --config and --set win over "
    "it.",
)

config_option = click.option("--config", type=EXISTING, help="TOML file with settings.")

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the result as JSON on stdout."
)

dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Say what would be read and written, and stop."
)

overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace results that are already there."
)


def add_options(command: Command, options: Sequence[Any]) -> Command:
    """Add options to a command, in whose help they have the order given."""
    for option in reversed(options):
        command = option(command)
    return command


def calibration_options(command: Command) -> Command:
    """Add --pixel-size-nm and --foil-thickness-nm to a command."""
    return add_options(command, _CALIBRATION_OPTIONS)


def quantify_options(command: Command) -> Command:
    """Add the choices of a quantification, each named as in `QuantifySettings`.

    And the standard deviations of pixel size and thickness, which widen intervals.
    """
    return add_options(command, _QUANTIFY_OPTIONS)


_CALIBRATION_OPTIONS = (
    click.option(
        "--pixel-size-nm",
        type=POSITIVE,
        help="Pixel size in nm, in place of the file's own.",
    ),
    click.option(
        "--foil-thickness-nm",
        type=POSITIVE,
        help="Foil thickness in nm; without it there are no values per volume.",
    ),
)

_QUANTIFY_OPTIONS = (
    click.option(
        "--pixel-size-sigma-nm",
        type=POSITIVE,
        help="Standard deviation of the pixel size; it widens the intervals.",
    ),
    click.option(
        "--foil-thickness-sigma-nm",
        type=POSITIVE,
        help="Standard deviation of the foil thickness; it widens the intervals.",
    ),
    click.option(
        "--foil-thickness-source",
        metavar="TEXT",
        help='Where the thickness comes from, such as "EELS log-ratio".',
    ),
    click.option(
        "--split",
        type=click.Choice(["none", "distance", "probability"]),
        default="none",
        help="Split objects that touch at necks of their outline or probability.",
    ),
    click.option(
        "--edge-rule",
        type=click.Choice(["miles_lantuejoul", "forbidden_lines", "drop", "all"]),
        default="miles_lantuejoul",
        help="What becomes of objects that touch the border.",
    ),
    click.option(
        "--number-density-method",
        type=click.Choice(["cut_corrected", "thickness_plus_diameter", "naive"]),
        default="cut_corrected",
        help="How objects cut by the foil surfaces count.",
    ),
    click.option(
        "--swelling-class",
        "swelling_classes",
        metavar="NAME",
        multiple=True,
        default=("void",),
        help="Class of voids, whose volume is swelling; repeatable. [default: void]",
    ),
    click.option(
        "--loop-class",
        "loop_classes",
        metavar="NAME",
        multiple=True,
        default=("loop",),
        help="Class of flat discs, sized by the largest Feret diameter and without "
        "volume; repeatable. [default: loop]",
    ),
    click.option(
        "--visible-fraction",
        type=Decimal(0, 1, min_open=True),
        default=1.0,
        help="Part of the line length in contrast (not g.b = 0); 1 means all.",
    ),
    click.option(
        "--exclude-regions/--include-regions",
        default=True,
        help="Whether regions hide the lines behind them, or lines run in them, as "
        "cracks do in a layer.",
    ),
    click.option(
        "--smallest-diameter-px",
        type=Decimal(0),
        default=0.0,
        help="Size from which on objects are surely seen; size fits start there.",
    ),
)


def command_line() -> str:
    """Give the command that was typed, as a shell takes it."""
    return shlex.join(["defectkeras", *sys.argv[1:]])


def echo_json(value: Any) -> None:
    """Print a value as JSON on stdout."""
    click.echo(json.dumps(value, indent=2, allow_nan=False))


def talk(text: str) -> None:
    """Say something to the user, on stderr."""
    click.echo(text, err=True)


@contextlib.contextmanager
def tell_notes() -> Iterator[None]:
    """Say what the package notes meanwhile, such as why it chose a precision."""

    class Talk(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            talk(record.getMessage())

    logger, handler = logging.getLogger("defectkeras"), Talk(logging.INFO)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


why_option = click.option(
    "--why", default="", show_default=False, help="The reason, kept in the history."
)
