"""Everything that a version's folder holds, written and checked."""

import dataclasses
import io
import re
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import keras

from defectkeras.core.arrays import Image, require_image
from defectkeras.core.errors import RegistryError
from defectkeras.registry.card import CARD, ModelCard, write_card
from defectkeras.registry.card_markdown import card_markdown
from defectkeras.registry.golden import GOLDEN, make_golden, write_golden
from defectkeras.registry.load import check_predictions
from defectkeras.registry.manifest import EXTRA_FOLDER, MANIFEST, write_manifest
from defectkeras.registry.safe_config import KERAS_FILE
from defectkeras.registry.saved_model.export import export_saved_model
from defectkeras.registry.saved_model.warmup import write_warmup

CARD_PAGE = EXTRA_FOLDER / "card.md"

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def write_bundle(
    model: keras.Model,
    card: ModelCard,
    folder: Path,
    *,
    golden_image: Image,
    extra_files: Mapping[str, Path | bytes],
) -> None:
    """Write a model with all that belongs to it, and see that it works from there.

    Args:
        model: (B, H, W, 1) to logits (B, H, W, K).
        card: What is told about it.
        folder: An empty folder.
        golden_image: (H, W) raw grey levels, best a micrograph with every class.
        extra_files: File name to contents or to a file that is copied.

    Raises:
        RegistryError: When model and card do not fit together, or what was written
            does not give what the model gives.
        OSError: When the folder cannot be written.
    """
    _require_fit(model, card)
    _require_plain_names(extra_files)
    image = require_image(golden_image, name="golden_image")
    export_saved_model(
        model,
        folder,
        stride=card.stride,
        low_percent=card.low_percent,
        high_percent=card.high_percent,
        thresholds=card.threshold_values(),
    )
    (folder / EXTRA_FOLDER).mkdir(parents=True)
    _save_keras_file(model, folder / KERAS_FILE)
    golden = make_golden(model, card, image)
    write_golden(golden, folder)
    off = check_predictions(folder, card)
    card = dataclasses.replace(card, metrics={**card.metrics, "export": off})
    write_card(card, folder)
    (folder / CARD_PAGE).write_text(card_markdown(card), encoding="utf-8")
    write_warmup(folder, card.name, golden.image, stride=card.stride)
    _write_extra_files(extra_files, folder / EXTRA_FOLDER)
    write_manifest(folder)


def _require_fit(model: keras.Model, card: ModelCard) -> None:
    """Check that the model takes grey images and gives the card's classes."""
    shapes = [tuple(i.shape) for i in model.inputs]
    if shapes != [(None, None, None, 1)]:
        raise RegistryError(
            "A published model must take one grey image of any size, (B, H, W, 1). "
            f"Received: {shapes}. Build it with input_shape=(None, None, 1)."
        )
    found, expected = model.output_shape[-1], card.scheme.num_classes
    if found != expected and (found, expected) != (1, 2):
        raise RegistryError(
            f"The model must give the {expected} classes of its card (or 1 logit for "
            f"2 classes). Received: {found}."
        )


def _save_keras_file(model: keras.Model, path: Path) -> None:
    """Save architecture and weights, without the optimizer and its two copies.

    Keras does not compress; deflated, the file of a small network is a sixth smaller.
    """
    bare = type(model).from_config(model.get_config())
    bare.set_weights(model.get_weights())
    bare.save(path)
    contents = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(contents) as plain, zipfile.ZipFile(path, "w") as deflated:
        for member in plain.infolist():
            deflated.writestr(member, plain.read(member), zipfile.ZIP_DEFLATED)


def _require_plain_names(names: Iterable[str]) -> None:
    reserved = {p.name for p in (MANIFEST, CARD, CARD_PAGE, GOLDEN, KERAS_FILE)}
    for name in names:
        if not _PLAIN_NAME.fullmatch(name) or name in reserved:
            raise ValueError(
                "An extra file must have a plain name other than "
                f"{', '.join(sorted(reserved))}. Received: {name!r}."
            )


def _write_extra_files(files: Mapping[str, Path | bytes], folder: Path) -> None:
    for name, content in files.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            shutil.copyfile(content, folder / name)
