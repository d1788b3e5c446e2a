"""What is really in a foil under a field, in three dimensions."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class TrueObject:
    """One object of the label map.

    Attributes:
        label: Its number in the label map.
        class_name: What it is.
        center_nm: Row, column and depth; of a line, of its middle point.
        diameter_nm: Of the circle with the area of its whole projection; of a
            loop, of the circle; None for a line.
        volume_diameter_nm: Of the sphere with its whole volume; None for loops
            and lines.
        volume_nm3: Volume inside foil and field; None for lines and loops.
        length_nm: Length in space inside foil and field; None for regions.
        is_counted: Whether its center lies inside foil and field.
    """

    label: int
    class_name: str
    center_nm: tuple[float, float, float]
    diameter_nm: float | None
    volume_diameter_nm: float | None
    volume_nm3: float | None
    length_nm: float | None
    is_counted: bool


@dataclass(frozen=True)
class LineTruth:
    """The lines inside foil and field.

    Attributes:
        count: Pieces of line from surface to surface.
        line_length_nm: Their length in space.
        projected_length_nm: The length of their projection, overlaps and all.
        dislocation_density_per_m2: Length in space per volume of foil.
        area_fraction_percent: Of the pixels of the class map.
    """

    count: int
    line_length_nm: float
    projected_length_nm: float
    dislocation_density_per_m2: float
    area_fraction_percent: float


@dataclass(frozen=True)
class RegionTruth:
    """The objects of one region class inside foil and field.

    Attributes:
        count: Centers inside.
        number_density_per_m3: Centers per volume of foil.
        mean_diameter_nm: Mean over these of the diameter of the circle with the
            area of the whole projection; of loops, of the circle.
        mean_volume_diameter_nm: Likewise of the sphere of equal volume.
        volume_fraction_percent: Volume inside, per volume of foil; None for loops.
        area_fraction_percent: Of the pixels of the class map.
    """

    count: int
    number_density_per_m3: float
    mean_diameter_nm: float | None
    mean_volume_diameter_nm: float | None
    volume_fraction_percent: float | None
    area_fraction_percent: float


@dataclass(frozen=True)
class FoilTruth:
    """The three-dimensional truth of a synthetic micrograph.

    Attributes:
        shape: (H, W) of the field in pixels.
        pixel_size_nm: Side of a pixel.
        foil_thickness_nm: Thickness along the beam.
        lines: The dislocation lines.
        regions: By class name: precipitate, void, loop.
        swelling_percent: 100 V / (A t - V) with the volume V of voids inside.
        objects: All objects of the label map.
    """

    shape: tuple[int, int]
    pixel_size_nm: float
    foil_thickness_nm: float
    lines: LineTruth
    regions: Mapping[str, RegionTruth]
    swelling_percent: float
    objects: tuple[TrueObject, ...]

    @property
    def line_length_nm(self) -> float:
        """Length of line in space inside foil and field."""
        return self.lines.line_length_nm

    @property
    def dislocation_density_per_m2(self) -> float:
        """Length of line in space per volume of foil."""
        return self.lines.dislocation_density_per_m2

    def to_dict(self) -> dict[str, Any]:
        """Give plain dicts, lists and numbers for JSON."""
        table = asdict(self)
        table["shape"] = list(self.shape)
        table["objects"] = [
            {**entry, "center_nm": list(entry["center_nm"])}
            for entry in table["objects"]
        ]
        return table
