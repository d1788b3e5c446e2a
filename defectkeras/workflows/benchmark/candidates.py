"""What a benchmark compares: networks, ways of upsampling, losses, methods without one.

A candidate is written as a call: "unet", or "unet(filters=16, batch_norm=False)".
"""

import ast
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from defectkeras.core.errors import DatasetError, ModelError
from defectkeras.core.names import require_known
from defectkeras.workflows.method import METHODS, RANDOM_FOREST

if TYPE_CHECKING:
    from defectkeras.training.settings import Settings

ALL = "all"
ENCODER = "encoder=efficientnet_lite0, encoder_weights=imagenet"
ARCHITECTURES = (
    "defectsegnet",
    "segnet(filters=16)",
    "fcn(filters=16)",
    "unet(filters=16)",
    f"encoder_unet({ENCODER})",
    f"deeplab_v3_plus({ENCODER}, separable=True)",
    f"fast_fcn({ENCODER}, pyramid_filters=64)",
    "patch_classifier(filters=16)",
)
"""All architectures, in forms that a CPU can train; encoders begin with ImageNet."""

UPSAMPLING = ("bed_of_nails", "nearest", "max_unpooling", "transposed")
LOSSES = ("ce", "0.5*ce + 0.5*dice", "focal", "tversky", "lovasz")
GROUPS = ("architecture", "upsampling", "loss", "method")


@dataclass(frozen=True)
class Candidate:
    """One of what is compared.

    Attributes:
        group: One of `GROUPS`.
        name: As the table tells it.
        architecture: A row of `MODEL_BUILDERS`; None for a method without a network.
        arguments: Of its builder, beside the number of classes.
        loss: An expression; empty for a method.
    """

    group: str
    name: str
    architecture: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    loss: str = ""

    @property
    def key(self) -> str:
        """The name of its files: what is computed, not in which group it stands."""
        told = [f"{name}={value}" for name, value in self.arguments.items()]
        text = " ".join([self.architecture or self.name, *told, self.loss])
        return re.sub(r"[^\w.=*+-]+", "_", text).strip("_")


def choose_candidates(
    settings: "Settings",
    *,
    num_classes: int,
    architectures: str = "",
    upsampling: str = "",
    losses: str = "",
    methods: str = "",
) -> tuple[Candidate, ...]:
    """Turn what a user names into candidates.

    Args:
        settings: Their architecture is the one that upsampling and losses are
            compared in, their loss that of all others.
        num_classes: K; where it is not 2, "all" methods are the random forest alone.
        architectures: Calls joined by commas, or "all". Nothing named in any of the
            four is "all" of each.
        upsampling: Names of `UPSAMPLING_METHODS`, likewise.
        losses: Expressions, likewise.
        methods: Names of `METHODS`, likewise.

    Raises:
        ModelError: When an architecture, an argument of it or a way of upsampling is
            unknown, or cannot be read.
        TrainingError: When a loss is unknown, or cannot be read.
        DatasetError: When a method is unknown.
    """
    from defectkeras.losses import read_expression
    from defectkeras.models.build import find_builder
    from defectkeras.models.upsampling import UPSAMPLING_METHODS

    named = (architectures, upsampling, losses, methods)
    words = dict(zip(GROUPS, named if any(named) else [ALL] * 4, strict=True))
    known = {
        "architecture": ARCHITECTURES,
        "upsampling": UPSAMPLING,
        "loss": LOSSES,
        "method": METHODS if num_classes == 2 else (RANDOM_FOREST,),
    }
    chosen = tuple(
        _candidate(group, name, settings)
        for group, text in words.items()
        for name in (known[group] if text == ALL else _parts(text))
    )
    for candidate in chosen:  # told now, not when its turn comes
        if candidate.architecture is None:
            require_known(candidate.name, METHODS, what="method", error=DatasetError)
            continue
        arguments = candidate.arguments
        find_builder(candidate.architecture, [*arguments, "num_classes"])
        if way := arguments.get("upsampling"):
            require_known(way, UPSAMPLING_METHODS, what="upsampling", error=ModelError)
        read_expression(candidate.loss)
    return chosen


def _candidate(group: str, name: str, settings: "Settings") -> Candidate:
    if group == "method":
        return Candidate(group, name)
    loss = settings.config.loss
    if group == "architecture":
        return Candidate(group, name, *read_call(name), loss)
    arguments, label = settings.arguments, f"{settings.architecture}, {name}"
    if group == "upsampling":
        arguments = {**arguments, "upsampling": name}
    else:
        loss = name
    return Candidate(group, label, settings.architecture, arguments, loss)


def _parts(text: str) -> Iterator[str]:
    """Split at commas that stand outside of parentheses, however deep."""
    depths = itertools.accumulate((c == "(") - (c == ")") for c in text)
    marked = (
        "\n" if c == "," and d == 0 else c for c, d in zip(text, depths, strict=True)
    )
    return (part.strip() for part in "".join(marked).split("\n") if part.strip())


def read_call(text: str) -> tuple[str, dict[str, Any]]:
    """Read an architecture and the arguments of its builder.

    Args:
        text: A name, or a call with arguments by name; a word needs no quotes.

    Raises:
        ModelError: When it cannot be read.

    Example:
        >>> read_call("fast_fcn(encoder=mobilenet_v2, pyramid_filters=32)")
        ('fast_fcn', {'encoder': 'mobilenet_v2', 'pyramid_filters': 32})
    """
    try:
        node = ast.parse(text, mode="eval").body
        keywords = node.keywords if isinstance(node, ast.Call) else []
        is_call = isinstance(node, ast.Call) and not node.args
        name = node.func if isinstance(node, ast.Call) and is_call else node
        if not isinstance(name, ast.Name):
            raise ValueError(text)
        return name.id, {str(k.arg): _read_value(k.value) for k in keywords}
    except (SyntaxError, ValueError) as error:
        raise ModelError(
            "An architecture must be a name or a call such as 'unet(filters=16)'. "
            f"Received: {text!r}."
        ) from error


def _read_value(node: ast.expr) -> Any:
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)
