import numpy as np
import pytest

from defectkeras.quantification.objects import label_objects
from defectkeras.quantification.row_maps import RowMaps
from defectkeras.quantification.sweep import BandRuns, runs_of_band, sweep


def swept_labels(mask, rows, **options):
    """Label a mask by sweeping it, and count how often objects were given away."""
    maps = RowMaps(mask.shape, lambda a, b: mask[a:b], band_px=rows * mask.shape[1])
    bands = (
        BandRuns(b, runs_of_band(mask[b.first : b.stop], b), {}) for b in maps.bands()
    )
    keys = np.full(mask.shape, -1)
    given = 0
    for swept in sweep(bands, mask.shape, **options):
        runs = swept.runs
        given += len(runs.labels)
        places = runs.places(mask.shape[1])
        assert (keys.reshape(-1)[places] == -1).all()  # nothing twice
        keys.reshape(-1)[places] = np.repeat(
            runs.labels[runs.index], runs.last - runs.first + 1
        )
    return keys, given


@pytest.mark.parametrize("rows", [1, 3, 16, 100])
def test_objects_are_those_of_the_whole(rows):
    mask = np.random.default_rng(rows).random((60, 47)) < 0.45  # near percolation
    keys, given = swept_labels(mask, rows)
    labels = label_objects(mask)
    assert given == labels.max()
    assert ((keys >= 0) == mask).all()
    first = {n: np.flatnonzero(labels == n)[0] for n in range(1, given + 1)}
    assert list(first.values()) == sorted(first.values())  # numbered by first pixels
    wanted = np.array([-1, *first.values()])[labels]
    np.testing.assert_array_equal(keys, wanted)


def test_objects_join_in_a_far_band():
    mask = np.zeros((40, 30), bool)
    mask[2:38, 3] = mask[2:38, 9] = mask[37, 3:10] = True
    mask[10:14, 5:7] = True  # between the legs
    keys, given = swept_labels(mask, 4)
    assert given == 2
    assert len(np.unique(keys[mask])) == 2


def test_what_is_too_large_is_cut_and_lost_nowhere():
    mask = np.zeros((40, 30), bool)
    mask[:, 5] = mask[20, :] = True
    keys, given = swept_labels(mask, 8, largest_box_px=100)
    assert given > 1
    assert ((keys >= 0) == mask).all()
