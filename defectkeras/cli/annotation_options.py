"""Options for what files of annotations do not tell by themselves."""

from typing import TYPE_CHECKING, Any

import click

from defectkeras.cli.options import EXISTING, POSITIVE, Command, add_options

if TYPE_CHECKING:
    from defectkeras.micrographs.annotations.maps import Encoding
    from defectkeras.micrographs.annotations.read import Hints

ENCODINGS: "tuple[Encoding, ...]" = (
    "class_index",
    "class_index_from_1",
    "binary",
    "objects",
    "colors",
)
"""Those of `Encoding`, here so that --help need not load it."""


def encoding_options(command: Command) -> Command:
    """Add what the numbers or colors of a PNG or TIFF mean."""
    return add_options(command, _ENCODING_OPTIONS)


def hint_options(command: Command) -> Command:
    """Add what files of annotations do not tell by themselves."""
    return add_options(command, (*_ENCODING_OPTIONS, *_HINT_OPTIONS))


def hints_from(known: dict[str, Any]) -> "Hints":
    """Take what `hint_options` gave out of the arguments of a command."""
    from defectkeras.micrographs.annotations.read import Hints

    names = (
        "encoding",
        "object_class",
        "colors",
        "color_tolerance",
        "line_width_px",
        "line_width_nm",
    )
    return Hints(**{name: known.pop(name) for name in names})


object_class_option = click.option(
    "--object-class",
    metavar="NAME",
    help="The class that a mask, object numbers or regions of ImageJ show.",
)

_ENCODING_OPTIONS = (
    click.option(
        "--encoding",
        type=click.Choice(ENCODINGS),
        default="class_index",
        help="What a PNG or TIFF holds: numbers of classes (from 0, or from 1 as "
        "ilastik writes them), a 0/255 mask, object numbers, or colors.",
    ),
    click.option(
        "--color",
        "colors",
        multiple=True,
        metavar="#RRGGBB",
        help="For --encoding colors: that of each class in the order of the index, the "
        "matrix first; repeatable.",
    ),
    click.option(
        "--color-tolerance",
        type=click.IntRange(0, 255),
        default=0,
        help="How far from these a color may be, where edges are smooth.",
    ),
)

_HINT_OPTIONS = (
    click.option(
        "--class",
        "classes",
        multiple=True,
        metavar="NAME[:KIND]",
        help="A defect class, in the order of the index; KIND is region or line; "
        "repeatable.",
    ),
    object_class_option,
    click.option(
        "--micrographs",
        type=EXISTING,
        multiple=True,
        help="Files or folders of the micrographs, found by name: they tell the "
        "size and the pixel size.",
    ),
    click.option(
        "--line-width-px",
        type=POSITIVE,
        help="Width of drawn lines that have none.",
    ),
    click.option(
        "--line-width-nm",
        type=POSITIVE,
        help="Width of drawn lines that have none, in nm.",
    ),
)
