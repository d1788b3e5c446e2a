"""A plan: settings that fit a set, each with its reason, as TOML for people to edit."""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from defectkeras.core.plurals import counted
from defectkeras.datasets.survey import Spread, Survey
from defectkeras.models.build import build_model, describe_architecture
from defectkeras.training import rules

BYTES_PER_ACTIVATION = 4 * 2
"""Its value and its gradient in float32. An upper bound: on a CPU a patch of 224 px
took half of it with DefectSegNet, since not all are held at once."""

_WIDTH = 88


@dataclass(frozen=True)
class Choice:
    """One line of a plan.

    Attributes:
        key: Dotted, such as "augmentation.gamma".
        value: For `TrainingConfig`, or an argument of the architecture's builder.
        reason: Why, in a sentence with the numbers that decided.
    """

    key: str
    value: Any
    reason: str


def make_plan(
    survey: Survey, *, num_maps: int, memory_bytes: int
) -> tuple[Choice, ...]:
    """Choose all settings by the rules in `rules.py`.

    Args:
        survey: Of the training split.
        num_maps: Maps of logits that the network gives.
        memory_bytes: Free memory of the device that trains.

    Returns:
        The choices, in the order of the file.
    """
    target_nm = rules.choose_target_pixel_size_nm(survey)
    found = [(c, rules.sizes_at(c, target_nm)) for c in survey.classes]
    sizes = [size for _, size in found if size]
    widths = [size.largest for c, size in found if size and c.kind == "line"]
    architecture, arguments = rules.choose_architecture(sizes)
    model = build_model(architecture, num_classes=num_maps, **arguments)
    facts = describe_architecture(model)
    field_px = facts.receptive_field_px
    scale = _shrink_factor(survey, target_nm)
    patch_size = rules.choose_patch_size(
        reach_px=None if field_px is None else field_px // 2,
        largest_px=max((s.largest for s in sizes), default=0.0),
        stride=facts.stride,
        shorter_side_px=scale * min(survey.heights_px.median, survey.widths_px.median),
    )
    needed = bytes_per_patch(architecture, arguments, num_maps, patch_size)
    batch_size, accumulation_steps = rules.choose_batch(needed, memory_bytes)
    pixels = round(survey.pixels * scale**2)
    epochs, steps = rules.choose_epochs(pixels, patch_size, batch_size)
    smallest = min((s.smallest for s in sizes), default=None)
    rarest = min((c.fraction for c in survey.classes[1:] if c.pixels), default=0.0)
    objects = _tell_sizes(sizes)
    choices = [
        Choice("architecture", architecture, f"The smallest that fits: {objects}."),
        *_choose_target(survey, target_nm),
        Choice(
            "patch_size",
            patch_size,
            f"The network reaches {'everywhere' if field_px is None else field_px // 2}"
            f" px far, its stride is {facts.stride} px; {objects}; a typical "
            f"micrograph is {scale * survey.heights_px.median:.0f} x "
            f"{scale * survey.widths_px.median:.0f} px.",
        ),
        Choice(
            "batch_size",
            batch_size,
            f"A patch takes about {needed / 2**20:.0f} MiB in a step; "
            f"half of {memory_bytes / 2**30:.1f} GiB may be used.",
        ),
        Choice("accumulation_steps", accumulation_steps, "Parts of a batch, likewise."),
        Choice("epochs", epochs, _tell_epochs(pixels, patch_size)),
        Choice("steps_per_epoch", steps, "Covers the training micrographs once."),
        Choice(
            "rare_class_fraction",
            rules.choose_rare_class_fraction(survey),
            f"The rarest class covers {100 * rarest:.2g} % of the pixels.",
        ),
        Choice("class_weights", "none", "The patches balance the classes already."),
        Choice(
            "loss",
            rules.choose_loss(survey, max(widths, default=None)),
            "Dice for rare classes; clDice for lines, "
            + (f"up to {max(widths):.1f} px wide." if widths else "here none."),
        ),
        Choice(
            "precision",
            "auto",
            "Chosen where training starts, by what is faster there.",
        ),
        Choice(
            "augmentation.scale_range",
            [round(s, 3) for s in rules.choose_scale_range(survey)],
            _tell_pixel_sizes(survey),
        ),
        Choice(
            "augmentation.gamma",
            rules.choose_gamma(survey.grey_middles),
            "Median grey levels lie from "
            f"{survey.grey_middles.smallest:.2f} to {survey.grey_middles.largest:.2f} "
            "of the range of their micrograph.",
        ),
        Choice(
            "augmentation.blur_px",
            rules.choose_blur_px(smallest),
            "Up to a quarter of small objects.",
        ),
        *_choose_instrument(survey),
    ]
    choices += [
        Choice(f"model.{key}", value, f"For {architecture}: {objects}.")
        for key, value in arguments.items()
    ]
    return tuple(choices)


def bytes_per_patch(
    architecture: str, arguments: dict[str, Any], num_maps: int, patch_size: int
) -> int:
    """Estimate the memory that a patch takes in a training step.

    All activations of the graph, `BYTES_PER_ACTIVATION` each; the weights, which do
    not grow with the batch, are left out.

    Args:
        architecture: Its name.
        arguments: Of its builder.
        num_maps: Maps of logits.
        patch_size: Side in px.
    """
    shape = (patch_size, patch_size, 1)
    model = build_model(
        architecture, input_shape=shape, num_classes=num_maps, **arguments
    )
    activations = sum(
        int(np.prod(output.shape[1:]))
        for layer in model.layers
        for output in _listed(layer.output)
    )
    return BYTES_PER_ACTIVATION * activations


def write_toml(choices: Sequence[Choice], title: str) -> str:
    """Write a plan as TOML, the reason of each value above it.

    Args:
        choices: Keys with a dot go to a table; they come last.
        title: First comment.

    Example:
        >>> print(write_toml([Choice("augmentation.gamma", 0.3, "Dark.")], "A plan."))
        # A plan.
        <BLANKLINE>
        [augmentation]
        # Dark.
        gamma = 0.3
        <BLANKLINE>
    """
    lines, table = [*_comment(title), ""], ""
    for choice in choices:
        head, _, key = choice.key.rpartition(".")
        if head != table:
            lines += [f"[{head}]"] if lines[-1] == "" else ["", f"[{head}]"]
            table = head
        lines += [*_comment(choice.reason), f"{key} = {json.dumps(choice.value)}"]
    return "\n".join([*lines, ""])


def _comment(text: str) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()), _WIDTH, initial_indent="# ", subsequent_indent="# "
    )


def _listed(output: Any) -> list[Any]:
    return list(output) if isinstance(output, list | tuple) else [output]


def _shrink_factor(survey: Survey, target_nm: float | None) -> float:
    """Give how many times as large a typical micrograph is for the network."""
    if target_nm is None or survey.pixel_sizes_nm is None:
        return 1.0
    return survey.pixel_sizes_nm.median / target_nm


def _choose_target(survey: Survey, target_nm: float | None) -> list[Choice]:
    if target_nm is None:
        return []
    return [Choice("target_pixel_size_nm", target_nm, _tell_pixel_sizes(survey))]


def _choose_instrument(survey: Survey) -> list[Choice]:
    """Choose what the instrument may have done otherwise, as the set shows it."""
    roughness, slopes = survey.scan_roughness, survey.brightness_slopes
    contrasts = ", ".join(
        f"{c.name} {c.contrasts.smallest:+.2f} to {c.contrasts.largest:+.2f}"
        for c in survey.classes[1:]
        if c.contrasts
    )
    return [
        Choice(
            "augmentation.inversion_probability",
            rules.choose_inversion(survey),
            "Brighter (+) or darker than the matrix, of the grey range: "
            f"{contrasts or 'no class is annotated'}.",
        ),
        Choice(
            "augmentation.scan_jitter_px",
            rules.choose_scan_jitter_px(roughness),
            f"Grey levels change {roughness.median:.2f} times as much between rows as "
            "along them.",
        ),
        Choice(
            "augmentation.charging",
            rules.choose_charging(slopes),
            f"From side to side the brightness changes by up to {slopes.largest:.2f} "
            "of the grey range.",
        ),
    ]


def _tell_sizes(sizes: Sequence[Spread]) -> str:
    if not sizes:
        return "no object is annotated"
    smallest, largest = min(s.smallest for s in sizes), max(s.largest for s in sizes)
    return f"objects are from {smallest:.1f} to {largest:.1f} px (5 % to 95 %)"


def _tell_pixel_sizes(survey: Survey) -> str:
    known = survey.pixel_sizes_nm
    if known is None or survey.unknown_pixel_sizes:
        unknown = counted(survey.unknown_pixel_sizes, "micrograph")
        return f"The pixel size of {unknown} is unknown."
    return f"Pixel sizes are from {known.smallest:.4g} to {known.largest:.4g} nm."


def _tell_epochs(pixels: int, patch_size: int) -> str:
    return (
        f"{pixels / 1e6:.3g} million pixels are {ceil(pixels / patch_size**2)} patches;"
        f" each is seen {rules.PASSES} times, within {rules.FEWEST_PATCHES} to "
        f"{rules.MOST_PATCHES} patches in all."
    )
