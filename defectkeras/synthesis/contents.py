"""What lies in a foil, as numbers, and the classes that it is annotated with."""

from dataclasses import dataclass, fields

from defectkeras.core.labels import DefectClass, LabelScheme

MATRIX = DefectClass(0, "matrix", "matrix")
DISLOCATION = DefectClass(1, "dislocation", "line")
PRECIPITATE = DefectClass(2, "precipitate", "region")
VOID = DefectClass(3, "void", "region")
LOOP = DefectClass(4, "loop", "region")

SCHEME = LabelScheme((MATRIX, DISLOCATION, PRECIPITATE, VOID, LOOP))
"""All classes that a synthetic micrograph may have."""

DCI_STEM_SCHEME = LabelScheme((MATRIX, DISLOCATION, PRECIPITATE, VOID))
"""The classes of the preset "dci-stem"; the indices are those of `SCHEME`."""


@dataclass(frozen=True)
class Contents:
    """The expected contents of a foil; what is there varies about them.

    Diameters are those of the sphere of equal volume (of loops: of the circle).
    They are log-normal with the given mean and standard deviation of ln d.

    Attributes:
        dislocation_density_per_m2: Length of line per volume, isotropic.
        dislocation_slope: Waviness: rms slope of a line against its axis, for
            each of the two directions across it; 0 gives straight lines.
        precipitates_per_m3: Number of centers per volume.
        precipitate_diameter_nm: Mean diameter.
        precipitate_log_sd: Standard deviation of ln d.
        precipitate_elongation: Standard deviation of the logarithm of each
            half axis; 0 gives spheres and cubes.
        cuboid_fraction: Part of the precipitates that are rounded cuboids.
        voids_per_m3: Number of centers per volume.
        void_diameter_nm: Mean diameter.
        void_log_sd: Standard deviation of ln d.
        faceted_fraction: Part of the voids with crystal facets.
        loops_per_m3: Number of centers per volume.
        loop_diameter_nm: Mean diameter.
        loop_log_sd: Standard deviation of ln d.

    Raises:
        ValueError: When a number is negative.

    Example:
        >>> Contents(voids_per_m3=1e21, void_diameter_nm=12.0).faceted_fraction
        0.0
    """

    dislocation_density_per_m2: float = 0.0
    dislocation_slope: float = 0.35
    precipitates_per_m3: float = 0.0
    precipitate_diameter_nm: float = 20.0
    precipitate_log_sd: float = 0.2
    precipitate_elongation: float = 0.0
    cuboid_fraction: float = 0.0
    voids_per_m3: float = 0.0
    void_diameter_nm: float = 15.0
    void_log_sd: float = 0.2
    faceted_fraction: float = 0.0
    loops_per_m3: float = 0.0
    loop_diameter_nm: float = 25.0
    loop_log_sd: float = 0.25

    def __post_init__(self) -> None:
        """Check the signs."""
        for entry in fields(self):
            value = getattr(self, entry.name)
            if not value >= 0:
                raise ValueError(
                    f"`{entry.name}` must be 0 or more. Received: {value}."
                )
