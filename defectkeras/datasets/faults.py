"""What is wrong with a data spec before any of its files is looked for."""

import re
from collections import Counter
from pathlib import PurePosixPath

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import CalibrationError, MicrographError
from defectkeras.core.labels import LabelScheme
from defectkeras.core.names import suggestion
from defectkeras.datasets.form import SPLITS, SourceForm, SpecForm, SplitForm
from defectkeras.micrographs.annotations.colors import parse_color

PLACEHOLDERS = ("stem", "folder")


def form_faults(form: SpecForm) -> tuple[str, ...]:
    """Say in plain words all that is wrong with a form.

    Args:
        form: As read.

    Returns:
        One line for each fault.
    """
    faults: list[str] = []
    for name, count in Counter(s.name for s in form.sources).items():
        if count > 1:
            faults.append(f"{count} sources are named {name!r}; names must differ.")
    for source in form.sources:
        faults += source_faults(source)
        faults += _object_class_faults(source, form.scheme)
        faults += _color_faults(source, form.scheme)
        if form.split.by == "specimen" and source.specimen is None:
            faults.append(
                f"source {source.name!r}: a split by specimen needs `specimen`, a "
                "regular expression that finds it in the file name."
            )
    return (*faults, *split_faults(form.split))


def source_faults(source: SourceForm) -> tuple[str, ...]:
    """Say what is wrong with the patterns and the calibration of a source."""
    where = f"source {source.name!r}: "
    faults = []
    for key in ("micrographs", "annotations"):
        pattern = getattr(source, key)
        if not PurePosixPath(pattern).name or PurePosixPath(pattern).is_absolute():
            faults.append(
                f"{where}`{key}` must be a path below the root. Received: {pattern!r}."
            )
    for word in re.findall(r"\{(.*?)\}", source.annotations):
        if word not in PLACEHOLDERS:
            hint = suggestion(word, PLACEHOLDERS)
            faults.append(
                f"{where}unknown placeholder {{{word}}} in `annotations`.{hint}"
            )
    if source.specimen is not None and _group_count(source.specimen) != 1:
        faults.append(
            f"{where}`specimen` must be a regular expression with one group, such as "
            f"'^([a-z0-9]+)_'. Received: {source.specimen!r}."
        )
    try:
        Calibration(source.pixel_size_nm, source.foil_thickness_nm)
    except CalibrationError as error:
        faults.append(f"{where}{error}")
    return tuple(faults)


def split_faults(rule: SplitForm) -> tuple[str, ...]:
    """Say what is wrong with the rule of a split."""
    listed = any(getattr(rule, split) for split in (*SPLITS, "unused"))
    if listed == (rule.fractions is not None):
        what = "both" if listed else "neither"
        return (
            "[split] must have either lists (train, val, test, unused) or "
            f"fractions. Received: {what}.",
        )
    fractions = rule.fractions
    if fractions and not (min(fractions) >= 0 and abs(sum(fractions) - 1) < 1e-6):
        return (
            "[split] fractions must not be below 0 and must add up to 1. "
            f"Received: {list(fractions)}.",
        )
    return ()


def _object_class_faults(source: SourceForm, scheme: LabelScheme) -> tuple[str, ...]:
    """Say what is wrong with the class that binary and object annotations show."""
    names = [c.name for c in scheme.defects]
    where = f"source {source.name!r}: "
    name = source.object_class
    fault = ""
    if source.encoding not in ("binary", "objects"):
        if name is not None:
            fault = (
                "`object_class` is only for the encodings 'binary' and 'objects'. "
                "Take it out, or say the encoding."
            )
    elif name is None and len(names) > 1:
        fault = f"`object_class` must say which class it shows: {', '.join(names)}."
    elif name is not None and name not in names:
        fault = f"unknown defect class {name!r}.{suggestion(name, names)}"
    return (where + fault,) if fault else ()


def _color_faults(source: SourceForm, scheme: LabelScheme) -> tuple[str, ...]:
    """Say whether there is one color for each class, and each another one."""
    where = f"source {source.name!r}: "
    wanted = scheme.num_classes if source.encoding == "colors" else 0
    if len(source.colors) != wanted:
        return (
            f"{where}`colors` must be {wanted}, one for each class with the encoding "
            f"'colors' and none without. Received: {len(source.colors)}.",
        )
    try:
        different = {parse_color(color) for color in source.colors}
    except MicrographError as error:
        return (f"{where}{error}",)
    if len(different) < wanted:
        return (f"{where}`colors` must differ. Received: {', '.join(source.colors)}.",)
    return ()


def _group_count(pattern: str) -> int:
    """Give the number of groups, or -1 for what is no regular expression."""
    try:
        return re.compile(pattern).groups
    except re.error:
        return -1
