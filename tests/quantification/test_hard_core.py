import tracemalloc

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from defectkeras.quantification.hard_core import compare_with_random, place_discs
from defectkeras.quantification.ripley import default_radii
from defectkeras.quantification.windows import Window

WINDOW = Window(240.0, 330.0)


@pytest.mark.parametrize(
    "radii",
    [
        np.random.default_rng(1).uniform(4, 12, 90),
        np.append(np.random.default_rng(1).uniform(0.5, 3, 400), 90.0),
        np.full(3, 8.0),
    ],
)
def test_discs_do_not_overlap(radii):
    rng = np.random.default_rng(0)
    places = place_discs(rng, radii, WINDOW)
    gaps = squareform(pdist(places)) - radii[:, None] - radii
    np.fill_diagonal(gaps, 1)
    assert gaps.min() > 0
    assert (places >= 0).all()
    assert (places < [240, 330]).all()


def test_one_large_disc_does_not_make_neighbors_of_all():
    radii = np.append(np.full(4000, 0.5), 110.0)
    tracemalloc.start()
    assert place_discs(np.random.default_rng(0), radii, WINDOW) is not None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50e6  # the 8 million pairs alone are 128 MB


def test_no_room():
    assert place_discs(np.random.default_rng(0), np.full(400, 10.0), WINDOW) is None
    points = np.array([[20.0, 30.0], [200.0, 300.0]])
    radii = np.full(2, 900.0)
    assert compare_with_random(points, radii, WINDOW, np.array([9.0])) is None


def test_objects_at_random_look_so_in_most_cases():
    rng = np.random.default_rng(4)
    radii = np.full(60, 7.0)
    values = []
    for seed in range(24):
        points = place_discs(rng, radii, WINDOW)
        found = compare_with_random(
            points, radii, WINDOW, default_radii(60, WINDOW), seed=seed, simulations=19
        )
        values.append((found.distance_p, found.curve_p))
    low = (np.array(values) <= 0.1).mean(axis=0)
    assert (low < 0.35).all()


def test_the_envelope_holds_what_it_says():
    rng = np.random.default_rng(3)
    inside = []
    for seed in range(12):
        points = WINDOW.draw(rng, 60)
        curves = compare_with_random(
            points, np.full(60, 0.1), WINDOW, default_radii(60, WINDOW), seed=seed
        ).curves
        inside.append(
            (
                (curves["l_low"] <= curves["l"]) & (curves["l"] <= curves["l_high"])
            ).mean()
        )
    assert 0.88 < np.mean(inside) <= 1
    assert np.mean(inside) < 0.999


def test_clusters_are_found():
    rng = np.random.default_rng(1)
    centers = WINDOW.draw(rng, 12)
    points = (centers[:, None] + rng.normal(0, 5, (12, 6, 2))).reshape(-1, 2)
    points = points.clip(0, [239.9, 329.9])
    found = compare_with_random(
        points, np.full(72, 1.0), WINDOW, default_radii(72, WINDOW)
    )
    assert found.distance_ratio < 0.6
    assert found.distance_p == found.curve_p * 2 == pytest.approx(1 / 60)
    assert (found.curves["l"] > found.curves["l_high"]).any()
