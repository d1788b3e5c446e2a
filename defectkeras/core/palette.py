"""One color for each class, the same in every picture.

The colors are those of Okabe and Ito, which people with any of the common
deficiencies of color vision can tell apart. Those that stand out on dark and on
bright grey come first; yellow and blue, each lost on one of them, come last.

References:
    M. Okabe, K. Ito. Color Universal Design, 2008,
    https://jfly.uni-koeln.de/color/
"""

from typing import TypeAlias

from defectkeras.core.labels import LabelScheme

Color: TypeAlias = tuple[int, int, int]
"""Red, green and blue, each from 0 to 255."""

ORANGE: Color = (230, 159, 0)
SKY_BLUE: Color = (86, 180, 233)
BLUISH_GREEN: Color = (0, 158, 115)
YELLOW: Color = (240, 228, 66)
BLUE: Color = (0, 114, 178)
VERMILLION: Color = (213, 94, 0)
REDDISH_PURPLE: Color = (204, 121, 167)

ORDER = (SKY_BLUE, VERMILLION, ORANGE, BLUISH_GREEN, REDDISH_PURPLE, YELLOW, BLUE)

USUAL = {
    "dislocation": VERMILLION,
    "precipitate": SKY_BLUE,
    "void": ORANGE,
    "loop": BLUISH_GREEN,
}
"""Classes that keep their color whatever else a scheme holds."""

NOT_ANNOTATED_COLOR: Color = (120, 120, 120)


def class_colors(scheme: LabelScheme) -> dict[int, Color]:
    """Give the color of each defect class.

    Args:
        scheme: The classes. From the eighth defect class on colors repeat.

    Returns:
        Class index to color, without the matrix.

    Example:
        >>> from defectkeras.core.labels import DefectClass
        >>> scheme = LabelScheme((DefectClass(0, "matrix", "matrix"),
        ...                       DefectClass(1, "crack", "line"),
        ...                       DefectClass(2, "void", "region")))
        >>> class_colors(scheme)
        {1: (86, 180, 233), 2: (230, 159, 0)}
    """
    taken = {USUAL[c.name] for c in scheme.defects if c.name in USUAL}
    free = [color for color in ORDER if color not in taken] or list(ORDER)
    others = [c.name for c in scheme.defects if c.name not in USUAL]
    return {
        c.index: USUAL.get(c.name) or free[others.index(c.name) % len(free)]
        for c in scheme.defects
    }


def hex_color(color: Color) -> str:
    """Give a color as HTML writes it.

    Example:
        >>> hex_color((230, 159, 0))
        '#e69f00'
    """
    return "#{:02x}{:02x}{:02x}".format(*color)
