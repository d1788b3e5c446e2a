"""Drawn truth: discs, lines and whole foils with known contents."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from defectkeras.core.labels import DefectClass, LabelScheme


def draw_disc(mask, row, column, diameter, value=1):
    """Set the pixels whose centers lie in a disc, in pixel coordinates."""
    radius = diameter / 2
    top, left = max(int(row - radius), 0), max(int(column - radius), 0)
    window = mask[top : int(row + radius) + 2, left : int(column + radius) + 2]
    rows, columns = np.ogrid[: window.shape[0], : window.shape[1]]
    inside = (rows + top - row) ** 2 + (columns + left - column) ** 2 <= radius**2
    window[inside] = value


def draw_segment(mask, start, stop, width, *, square=False):
    """Set the pixels whose centers lie within half a width of a segment."""
    start, stop = np.asarray(start, float), np.asarray(stop, float)
    low = np.maximum(np.floor(np.minimum(start, stop) - width).astype(int), 0)
    high = np.ceil(np.maximum(start, stop) + width).astype(int) + 1
    high = np.maximum(np.minimum(high, mask.shape), low)
    rows, columns = np.ogrid[low[0] : high[0], low[1] : high[1]]
    length = float(np.hypot(*(stop - start)))
    along = (stop - start) / max(length, 1e-9)
    s = (rows - start[0]) * along[0] + (columns - start[1]) * along[1]
    n = (rows - start[0]) * along[1] - (columns - start[1]) * along[0]
    if square:
        inside = (s >= 0) & (s <= length) & (abs(n) <= width / 2)
    else:
        beyond = s - np.clip(s, 0, length)
        inside = beyond**2 + n**2 <= width**2 / 4
    mask[low[0] : high[0], low[1] : high[1]] |= inside


@dataclass
class SphereFoil:
    """A drawn foil of spheres and what is in it."""

    mask: np.ndarray
    number: int
    mean_diameter: float
    volume_fraction: float


def draw_sphere_foil(rng, *, shape, thickness, mean, log_sd, cell):
    """Draw spheres of a log-normal spread, one per cell of a shifted grid.

    Center depths are uniform, centers may lie outside the foil; discs never
    meet, so the field is like one seen without overlap. Lengths in px.
    """
    rows, columns = shape
    mask = np.zeros(shape, bool)
    shift = rng.uniform(0, cell, 2)
    number, diameters, volume = 0, [], 0.0
    largest = cell - 3
    for i in range(-1, int(rows / cell) + 2):
        for j in range(-1, int(columns / cell) + 2):
            diameter = mean * np.exp(log_sd * rng.normal() - log_sd**2 / 2)
            diameter = min(diameter, largest)
            room = cell - diameter - 2
            center = shift + cell * np.array([i, j]) + diameter / 2 + 1
            center = center + rng.uniform(0, room, 2)
            # The same depth range for all sizes keeps the number per volume.
            depth = rng.uniform(-largest / 2, thickness + largest / 2)
            beyond = max(-depth, depth - thickness, 0.0)
            if beyond < diameter / 2:
                seen = 2 * np.sqrt(diameter**2 / 4 - beyond**2)
                draw_disc_if_near(mask, center - 0.5, seen)
            in_field = (center >= 0).all() and (center < shape).all()
            if in_field and beyond == 0:
                number += 1
                diameters.append(diameter)
            if in_field:
                volume += volume_in_foil(diameter, depth, thickness)
    return SphereFoil(
        mask, number, float(np.mean(diameters)), volume / (rows * columns * thickness)
    )


def draw_disc_if_near(mask, center, diameter):
    low, high = center + diameter / 2, center - diameter / 2
    if (low >= 0).all() and (high <= np.array(mask.shape)).all():
        draw_disc(mask, center[0], center[1], diameter)


def volume_in_foil(diameter, depth, thickness):
    """Give the volume of a sphere between the planes 0 and thickness."""
    radius = diameter / 2
    low, high = np.clip([-depth, thickness - depth], -radius, radius)
    return np.pi * (radius**2 * (high - low) - (high**3 - low**3) / 3)


@dataclass
class LineFoil:
    """A drawn foil of straight, isotropic lines and what is in it."""

    mask: np.ndarray
    length: float
    projected_length: float


def draw_line_foil(rng, *, shape, thickness, count, width):
    """Draw isotropic uniform random lines through a foil. Lengths in px."""
    sides = np.array([*shape, thickness], float)
    margin = 3.0 * width
    low = np.array([-margin, -margin, 0.0])
    high = np.add(sides, [margin, margin, 0.0])
    radius = np.linalg.norm(high - low) / 2
    mask = np.zeros(shape, bool)
    length = projected = 0.0
    for _ in range(rng.poisson(count)):
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        across = np.linalg.svd(direction[None])[2][1:]
        angle, distance = rng.uniform(0, 2 * np.pi), radius * np.sqrt(rng.uniform())
        foot = (low + high) / 2 + distance * (
            np.cos(angle) * across[0] + np.sin(angle) * across[1]
        )
        drawn = clip(foot, direction, low, high)
        if drawn is not None:
            start, stop = (foot + s * direction for s in drawn)
            draw_segment(mask, start[:2] - 0.5, stop[:2] - 0.5, width)
        inside = clip(foot, direction, np.zeros(3), sides)
        if inside is not None:
            length += inside[1] - inside[0]
            projected += (inside[1] - inside[0]) * np.hypot(*direction[:2])
    return LineFoil(mask, length, projected)


def clip(point, direction, low, high):
    """Give where a line enters and leaves a box, or None."""
    first, second = (low - point) / direction, (high - point) / direction
    enter = np.minimum(first, second).max()
    leave = np.maximum(first, second).min()
    return (enter, leave) if enter < leave else None


@pytest.fixture
def disc() -> Callable[..., None]:
    return draw_disc


@pytest.fixture
def segment() -> Callable[..., None]:
    return draw_segment


@pytest.fixture
def sphere_foil() -> Callable[..., SphereFoil]:
    return draw_sphere_foil


@pytest.fixture
def line_foil() -> Callable[..., LineFoil]:
    return draw_line_foil


@pytest.fixture
def scheme() -> LabelScheme:
    return LabelScheme(
        (
            DefectClass(0, "matrix", "matrix"),
            DefectClass(1, "dislocation", "line"),
            DefectClass(2, "precipitate", "region"),
            DefectClass(3, "void", "region"),
            DefectClass(4, "loop", "region"),
        )
    )


@pytest.fixture
def shared_class_map() -> np.ndarray:
    """A field with two lines, precipitates, voids and loops."""
    rng = np.random.default_rng(9)
    class_map = np.zeros((220, 300), np.int32)
    lines = np.zeros(class_map.shape, bool)
    draw_segment(lines, (-10, 40), (240, 260), 5)
    draw_segment(lines, (180, -10), (60, 310), 5)
    class_map[lines] = 1
    for i in range(8):
        for j in range(11):
            row, column = np.add((16 + 27 * i, 14 + 27 * j), rng.uniform(-4, 4, 2))
            value = 2 + int(rng.integers(0, 3))
            draw_disc(class_map, row, column, rng.uniform(6, 16), value)
    return class_map
