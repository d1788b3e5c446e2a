"""What a report is about: a run, its micrographs, and the files that failed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from defectkeras.quantification.places import Places
from defectkeras.quantification.results import Quantification
from defectkeras.reporting.pictures import Pictures


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """The model that made the class maps, as its card tells, or another method.

    Attributes:
        name: In the registry; of a method without a network, what it is called.
        version: Its number in the registry, or None.
        sha256: 64 hexadecimal digits over its files, or empty where it has none.
        architecture: Name of the builder.
        description: What it finds, and in what.
        license: Of the model.
        attribution: Whom to cite for its training data.
        dataset_name: What it has learned from.
        intended_use: For what it was made.
        limits: For what it was not, and where it is known to fail.
        pixel_size_range_nm: Of its training data, or None when not known.
    """

    name: str
    version: int | None = None
    sha256: str = ""
    architecture: str = ""
    description: str = ""
    license: str = ""
    attribution: str = ""
    dataset_name: str = ""
    intended_use: str = ""
    limits: str = ""
    pixel_size_range_nm: tuple[float, float] | None = None

    @property
    def reference(self) -> str:
        """The reference that always means this version, such as "voids@3"."""
        return self.name if self.version is None else f"{self.name}@{self.version}"

    @property
    def what(self) -> str:
        """What it is, in a word."""
        return "model" if self.sha256 else "method"


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What all micrographs of a report share.

    Attributes:
        created: When, as text (ISO 8601).
        software: Name to version; "defectkeras" among them.
        model: What made the class maps; None when they came from elsewhere.
        settings: Name to value of everything that was set.
        command: What was typed, or empty.
        title: Heading of the page.
    """

    created: str
    software: Mapping[str, str]
    model: ModelFacts | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    title: str = "Defects in micrographs"


@dataclass(frozen=True, kw_only=True, eq=False)
class MicrographReport:
    """One micrograph, measured.

    Attributes:
        name: As the user knows the file.
        quantification: Its numbers.
        places: How the defects lie.
        pictures: For the page, from `make_pictures`; None shows no picture.
        figures: For the page: name, of letters, digits and underscores, to SVG
            document, from `draw_svg`.
        warnings: What the user should know before trusting the numbers, beside
            those of the quantification.
        files: Label to path relative to the page, such as
            {"objects.csv": "field_1/objects.csv"}.
        sha256: Of the micrograph's file, or None.
        file: Its name, with suffix and without folder; None in older results.
        applicability: How far the micrograph is from the training micrographs of the
            model: "score", "limit" and "ratios" of each kind; None when not known.
    """

    name: str
    quantification: Quantification
    places: Places
    pictures: Pictures | None = None
    figures: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    sha256: str | None = None
    file: str | None = None
    applicability: Mapping[str, Any] | None = None

    @property
    def all_warnings(self) -> tuple[str, ...]:
        """The warnings of this report and of the quantification."""
        return (*self.warnings, *self.quantification.warnings)


@dataclass(frozen=True)
class FailedFile:
    """A file that could not be analyzed, and why in one line without its name."""

    name: str
    reason: str
