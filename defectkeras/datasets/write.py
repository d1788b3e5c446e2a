"""Writing a data spec beside the files that it names."""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from defectkeras.core.files import write_whole
from defectkeras.core.labels import LabelScheme
from defectkeras.datasets.fingerprint import fingerprint_examples
from defectkeras.datasets.form import SCHEMA, SourceForm, SpecForm, SplitForm, SplitName
from defectkeras.datasets.spec import dataset_spec_of

FILE_NAME = "dataset.toml"
MICROGRAPHS = "micrographs/*.tif"
ANNOTATIONS = "annotations/{stem}.png"


def write_dataset_spec(
    folder: Path,
    *,
    name: str,
    description: str,
    scheme: LabelScheme,
    split: Mapping[SplitName, Sequence[str]],
    license: str,
    source: str,
) -> Path:
    """Write `dataset.toml` into a folder of micrographs and annotations.

    Args:
        folder: With micrographs/NAME.tif and annotations/NAME.png, the latter
            with a class index per pixel.
        name: Name of the set.
        description: For people.
        scheme: The classes.
        split: The names in "train", "val" and "test"; a split without names may
            be left out.
        license: Licence of the files.
        source: Where the files come from.

    Returns:
        The path of the spec, which `load_dataset_spec` reads back; it holds the
        fingerprint of the files.

    Raises:
        DatasetError: When the folder does not hold what the split names;
            nothing is written.
    """
    path = folder / FILE_NAME
    form = SpecForm(
        schema=SCHEMA,
        name=name,
        description=description,
        license=license,
        source=source,
        root=".",
        classes=scheme.classes,
        sources=(SourceForm(name, MICROGRAPHS, ANNOTATIONS),),
        split=SplitForm(
            train=tuple(split.get("train", ())),
            val=tuple(split.get("val", ())),
            test=tuple(split.get("test", ())),
        ),
    )
    fingerprint = fingerprint_examples(dataset_spec_of(form, path).examples)
    write_whole(path, to_toml(dataclasses.replace(form, fingerprint=fingerprint)))
    return path


def to_toml(form: SpecForm) -> str:
    """Give a form as the text of a TOML file; keys with their default are left out.

    Args:
        form: Any form; `read_form` gives an equal one back.
    """
    tables = dict(_entries(form))
    classes, sources = tables.pop("classes"), tables.pop("sources")
    split = tables.pop("split")
    parts = ["\n".join(_lines(tables))]
    parts += ["\n".join(["[[classes]]", *_lines(dict(_entries(c)))]) for c in classes]
    parts += ["\n".join(["[[sources]]", *_lines(dict(_entries(s)))]) for s in sources]
    parts.append("\n".join(["[split]", *_lines(dict(_entries(split)))]))
    return "\n\n".join(parts) + "\n"


def _entries(form: Any) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(form):
        value = getattr(form, field.name)
        if value != field.default:
            yield field.name, value


def _lines(table: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in table.items()]


def _value(value: Any) -> str:
    """Give text, a number or an array as TOML.

    JSON's form of them is TOML's, but for DEL, which TOML wants escaped.
    """
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
