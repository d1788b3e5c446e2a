import cv2
import numpy as np
import pytest

from defectkeras.quantification.class_distances import class_distances
from defectkeras.quantification.windows import Window

WINDOW = Window(200.0, 300.0)


def lines():
    other = np.zeros((200, 300), bool)
    other[:, [60, 150, 240]] = True
    return other


def test_objects_on_lines_are_found():
    rows = np.linspace(20, 180, 30)
    columns = np.tile([60.0, 150.0, 240.0], 10)
    points = np.stack([rows, columns + 0.5], axis=1)
    found = class_distances(points, np.full(30, 4.0), lines(), WINDOW)
    assert found.mean_px == 0
    assert found.touching_fraction == 1
    assert found.random_touching_fraction < 0.3
    assert found.p_value == pytest.approx(0.01)


def test_objects_at_random_are_as_far_as_chance_has_it():
    rng = np.random.default_rng(3)
    values = [
        class_distances(
            WINDOW.draw(rng, 25), np.full(25, 4.0), lines(), WINDOW, seed=s,
            simulations=39,
        ).p_value
        for s in range(60)
    ]  # fmt: skip
    assert np.mean(np.array(values) <= 0.1) < 0.25
    assert np.mean(values) == pytest.approx(0.5, abs=0.15)


def test_what_cannot_overlap_does_not_seem_to_keep_away():
    rng = np.random.default_rng(8)
    y, x = np.ogrid[:200, :300]
    other = np.zeros((200, 300), bool)
    for row, column in WINDOW.draw(rng, 12):
        other |= np.hypot(y - row, x - column) < 14
    far = cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, 0)
    values = {True: [], False: []}
    for seed in range(40):
        places = WINDOW.draw(rng, 400)
        free = far[tuple(places.astype(int).T)] >= 8.0
        points = places[free][:25]
        for apart in values:
            found = class_distances(
                points, np.full(25, 8.0), other, WINDOW, apart=apart, seed=seed,
                simulations=39,
            )  # fmt: skip
            values[apart].append(found.p_value)
    assert np.mean(values[True]) == pytest.approx(0.5, abs=0.15)
    assert np.mean(values[False]) < np.mean(values[True]) - 0.1


def test_an_object_without_room_touches():
    other = np.ones((30, 40), bool)
    other[10:14, 10:14] = False
    found = class_distances(
        np.array([[12.0, 12.0]]), np.array([9.0]), other, Window(30.0, 40.0),
        apart=True, simulations=3,
    )  # fmt: skip
    assert found.random_mean_px == 0
