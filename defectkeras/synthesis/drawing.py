"""From geometry to pixels: the nearest point of a curve, the window of a body."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from defectkeras.synthesis.lines import Points


@dataclass(frozen=True)
class Grid:
    """The pixels of a field.

    Attributes:
        shape: (H, W) in pixels.
        pixel_size_nm: Side of a pixel.
    """

    shape: tuple[int, int]
    pixel_size_nm: float

    def window(
        self, center_nm: Points, half_extent_nm: Points
    ) -> tuple[slice, slice] | None:
        """Give the pixels whose centers lie in a rectangle, or None.

        Args:
            center_nm: (2,) row and column of its center; more is ignored.
            half_extent_nm: (2,) half its sides; more is ignored.
        """
        low = (center_nm[:2] - half_extent_nm[:2]) / self.pixel_size_nm - 0.5
        high = (center_nm[:2] + half_extent_nm[:2]) / self.pixel_size_nm - 0.5
        first = np.maximum(np.ceil(low).astype(int), 0)
        stop = np.minimum(np.floor(high).astype(int) + 1, self.shape)
        if np.any(stop <= first):
            return None
        return slice(int(first[0]), int(stop[0])), slice(int(first[1]), int(stop[1]))

    def centers_nm(
        self, window: tuple[slice, slice]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the pixel centers of a window (H, W): rows (H, 1), columns (1, W)."""
        rows = (np.arange(window[0].start, window[0].stop) + 0.5) * self.pixel_size_nm
        columns = (np.arange(window[1].start, window[1].stop) + 0.5) * (
            self.pixel_size_nm
        )
        return rows[:, None], columns[None, :]


@dataclass(frozen=True, eq=False)
class Strip:
    """The pixels beside a curve.

    Attributes:
        rows: (N,) pixel rows.
        columns: (N,) pixel columns.
        offset_nm: (N,) distance from the curve, negative on its right.
        position: (N,) where the nearest point lies, as a fractional index.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    offset_nm: NDArray[np.float64]
    position: NDArray[np.float64]


def pixels_near(curve: Points, grid: Grid, reach_nm: float) -> Strip | None:
    """Find the pixels whose centers are near the projection of a curve.

    Args:
        curve: (N, 3) in nm, at least two points, spaced more closely than it bends.
        grid: The pixels.
        reach_nm: Largest distance.

    Returns:
        The pixels, with exact distances to the segments, or None.
    """
    flat = curve[:, :2]
    middle = (flat.max(axis=0) + flat.min(axis=0)) / 2
    window = grid.window(middle, np.ptp(flat, axis=0) / 2 + reach_nm)
    if window is None:
        return None
    rows, columns = _candidates(flat, grid, window, reach_nm)
    points = np.stack([rows, columns], axis=1).astype(np.float64) + 0.5
    points *= grid.pixel_size_nm
    tree = cKDTree(flat, compact_nodes=False, balanced_tree=False)
    step_nm = float(np.max(np.abs(np.diff(flat, axis=0))))
    found_distance, found_index = tree.query(
        points, distance_upper_bound=reach_nm + step_nm
    )
    nearest = np.asarray(found_index, dtype=np.int64)
    found = np.isfinite(found_distance)
    rows, columns = rows[found], columns[found]
    position, offset_nm = _project(points[found], flat, nearest[found])
    near = abs(offset_nm) < reach_nm
    if not near.any():
        return None
    return Strip(rows[near], columns[near], offset_nm[near], position[near])


def _candidates(
    flat: Points, grid: Grid, window: tuple[slice, slice], reach_nm: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give pixels that may be near, by drawing a thick line."""
    top, left = window[0].start, window[1].start
    mask = np.zeros((window[0].stop - top, window[1].stop - left), np.uint8)
    vertices = np.rint(flat / grid.pixel_size_nm - 0.5 - (top, left))
    thickness = 2 * math.ceil(reach_nm / grid.pixel_size_nm) + 3
    path = np.ascontiguousarray(vertices[:, ::-1], np.int32)
    cv2.polylines(mask, [path], isClosed=False, color=1, thickness=thickness)
    rows, columns = np.nonzero(mask)
    return rows + top, columns + left


def _project(
    points: Points, flat: Points, nearest: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the nearest position and the signed distance on the two segments."""
    best_position = nearest.astype(np.float64)
    best_offset = np.full(len(points), np.inf)
    for first in (nearest - 1, nearest):
        first = np.clip(first, 0, len(flat) - 2)
        leg = flat[first + 1] - flat[first]
        arm = points - flat[first]
        square = np.maximum(np.sum(leg**2, axis=1), 1e-12)
        part = np.clip(np.sum(arm * leg, axis=1) / square, 0, 1)
        away = arm - part[:, None] * leg
        distance = np.hypot(away[:, 0], away[:, 1])
        side = np.where(leg[:, 1] * arm[:, 0] > leg[:, 0] * arm[:, 1], 1.0, -1.0)
        closer = distance < abs(best_offset)
        best_offset = np.where(closer, side * distance, best_offset)
        best_position = np.where(closer, first + part, best_position)
    return best_position, best_offset
