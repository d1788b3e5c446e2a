"""The data spec: the examples of a set, found, paired and split."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from defectkeras.core.arrays import ClassMap, LabelMap
from defectkeras.core.errors import DatasetError
from defectkeras.core.file_names import on_disk
from defectkeras.core.labels import LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.faults import form_faults
from defectkeras.datasets.form import (
    SourceForm,
    SpecForm,
    SplitForm,
    SplitName,
    read_form,
)
from defectkeras.datasets.sources import Pair, find_pairs
from defectkeras.datasets.split import assign_splits
from defectkeras.micrographs.annotations.read import Hints, read_annotation
from defectkeras.micrographs.read import read_micrograph

_FAULTS_SHOWN = 5


@dataclass(frozen=True)
class Example:
    """A micrograph with its annotation, not yet read.

    Attributes:
        name: Unique in the set: the file name without suffix, with its folder
            where the pattern has a wildcard there, and with "source/" before it
            where the set has several sources.
        micrograph_path: The micrograph.
        annotation_path: The annotation.
        split: "train", "val" or "test".
        specimen: What the micrograph shows; never in two splits by specimen.
        source_name: The source in the data spec.
        pixel_size_nm: Pixel size in nm as the data spec tells it, or None.
        foil_thickness_nm: Foil thickness in nm as the data spec tells it, or
            None.
        hints: What the annotation does not tell by itself.
        license: Licence of the files.
    """

    name: str
    micrograph_path: Path
    annotation_path: Path
    split: SplitName
    specimen: str
    source_name: str
    pixel_size_nm: float | None = None
    foil_thickness_nm: float | None = None
    hints: Hints = field(default_factory=Hints)
    license: str = ""


@dataclass(frozen=True)
class DatasetSpec:
    """A set of examples with its classes and its split.

    Attributes:
        name: Name of the set.
        scheme: The classes.
        examples: Those of the three splits, in the order of the sources and of
            the names; what the spec leaves out on purpose is not among them.
        license: Licence of the files.
        source: Where the files come from.
        description: For people.
        path: The TOML file.
        root: The folder of the files.
        fingerprint: As declared in the file, or None.
    """

    name: str
    scheme: LabelScheme
    examples: tuple[Example, ...]
    license: str
    source: str
    description: str
    path: Path
    root: Path
    fingerprint: str | None = None

    def of_split(self, split: str) -> tuple[Example, ...]:
        """Give the examples of one split."""
        return tuple(e for e in self.examples if e.split == split)

    def require_split(
        self, split: str, hint: str = "Name some under [split]."
    ) -> tuple[Example, ...]:
        """Give the examples of a split, or raise a DatasetError when it has none."""
        examples = self.of_split(split)
        if not examples:
            what = f'the split "{split}" must have a micrograph. Received: none.'
            raise DatasetError(f"{self.path}: {what} {hint}")
        return examples


@dataclass(frozen=True, eq=False)
class LoadedExample:
    """A micrograph with its annotation, read.

    Attributes:
        micrograph: Pixels (H, W).
        class_map: (H, W) int32 of the same height and width.
        label_map: (H, W) object numbers where the annotation has them, or None.
    """

    micrograph: Micrograph
    class_map: ClassMap
    label_map: LabelMap | None = None


def load_dataset_spec(
    path: Path | str, *, root: Path | str | None = None
) -> DatasetSpec:
    """Read a data spec, find its files, pair them and split them.

    The files are found and not read: `load_example` reads one, and
    `check.validate_dataset_spec` tells all that is wrong with a set.

    Args:
        path: A TOML file, see docs/data_specs.md.
        root: Folder of the files, instead of the `root` of the spec.

    Returns:
        The set.

    Raises:
        DatasetError: When the form, the patterns or the split have a fault.
    """
    return dataset_spec_of(read_form(Path(path)), Path(path), root=root)


def dataset_spec_of(
    form: SpecForm, path: Path, *, root: Path | str | None = None
) -> DatasetSpec:
    """Find, pair and split the files that a form names.

    Args:
        form: As read, or as it will be written.
        path: The TOML file, which may not be there yet.
        root: Folder of the files, instead of the `root` of the form.

    Returns:
        The set.

    Raises:
        DatasetError: When patterns or split have a fault.
    """
    spec, faults = inspect_form(form, path, root=root)
    if faults:
        shown = " ".join(faults[:_FAULTS_SHOWN])
        more = len(faults) - _FAULTS_SHOWN
        rest = f" And {more} more; `defectkeras data validate` lists all." * (more > 0)
        raise DatasetError(f"{path}: {shown}{rest}")
    return spec


def inspect_form(
    form: SpecForm, path: Path, *, root: Path | str | None = None
) -> tuple[DatasetSpec, tuple[str, ...]]:
    """Find, pair and split as far as it goes, and say what is wrong.

    Args:
        form: As read.
        path: The TOML file.
        root: Folder of the files, instead of the `root` of the form.

    Returns:
        The set, and the faults of its patterns and of its split in plain words.
        With faults the splits are not to be used.

    Raises:
        DatasetError: When the root does not exist.
    """
    folder = on_disk(path.parent, form.root) if root is None else Path(root)
    if not folder.is_dir():
        raise DatasetError(
            f"{path}: the folder of its files must exist. Received: {folder}. "
            f"Get the files from {form.source} and give their folder with --root."
        )
    faults = list(form_faults(form))
    examples: list[Example] = []
    for source in form.sources:
        pairs, pair_faults = find_pairs(source, folder)
        faults += pair_faults
        examples += [_example(pair, source, form) for pair in pairs]
    split_examples, split_faults = _split(examples, form.split)
    spec = DatasetSpec(
        name=form.name,
        scheme=form.scheme,
        examples=split_examples,
        license=form.license,
        source=form.source,
        description=form.description,
        path=path,
        root=folder,
        fingerprint=form.fingerprint,
    )
    return spec, (*faults, *split_faults)


def load_example(example: Example, scheme: LabelScheme) -> LoadedExample:
    """Read the micrograph and the annotation of an example.

    Args:
        example: Of a data spec.
        scheme: The classes of the data spec.

    Returns:
        Micrograph, class map and label map, each (H, W).

    Raises:
        MicrographError: When a file cannot be read.
        DatasetError: When the sizes differ.
    """
    micrograph = load_micrograph(example)
    hints = example.hints.of(micrograph)
    whole = read_annotation(example.annotation_path, scheme, hints)
    annotation = whole.without_data_bar(micrograph)
    if (shape := annotation.class_map.shape) != micrograph.shape:
        raise DatasetError(
            f"{example.annotation_path}: an annotation must have the height and width "
            f"of its micrograph, {micrograph.shape}. Received: {shape}."
        )
    return LoadedExample(micrograph, annotation.class_map, annotation.label_map)


def load_micrograph(example: Example) -> Micrograph:
    """Read the micrograph of an example, with the calibration of the data spec.

    Args:
        example: Of a data spec.

    Returns:
        The micrograph; what the data spec tells about pixel size and thickness
        wins over what the file tells.

    Raises:
        MicrographError: When the file cannot be read.
    """
    micrograph = read_micrograph(
        example.micrograph_path,
        pixel_size_nm=example.pixel_size_nm,
        foil_thickness_nm=example.foil_thickness_nm,
    )
    return with_told_calibration(micrograph, example)


def with_told_calibration(micrograph: Micrograph, example: Example) -> Micrograph:
    """Give the micrograph with what the data spec tells in place of its own.

    Args:
        micrograph: As read from the file of the example.
        example: Of a data spec.
    """
    calibration = micrograph.calibration.with_told(
        example.pixel_size_nm, example.foil_thickness_nm, source="data spec"
    )
    return replace(micrograph, calibration=calibration)


def _example(pair: Pair, source: SourceForm, form: SpecForm) -> Example:
    name = f"{source.name}/{pair.name}" if len(form.sources) > 1 else pair.name
    return Example(
        name=name,
        micrograph_path=pair.micrograph_path,
        annotation_path=pair.annotation_path,
        split="train",  # until the rule of the split is applied
        specimen=name if pair.specimen is None else pair.specimen,
        source_name=source.name,
        pixel_size_nm=source.pixel_size_nm,
        foil_thickness_nm=source.foil_thickness_nm,
        hints=Hints(
            encoding=source.encoding,
            object_class=source.object_class,
            colors=source.colors,
            color_tolerance=source.color_tolerance,
            line_width_px=source.line_width_px,
            line_width_nm=source.line_width_nm,
        ),
        license=source.license or form.license,
    )


def _split(
    examples: list[Example], rule: SplitForm
) -> tuple[tuple[Example, ...], tuple[str, ...]]:
    """Apply the rule of the split; leave out what it leaves out."""
    units = [e.specimen if rule.by == "specimen" else e.name for e in examples]
    splits, faults = assign_splits(units, rule)
    split_examples = tuple(
        replace(example, split=split)
        for example, split in zip(examples, splits, strict=True)
        if split is not None
    )
    return split_examples, faults
