import numpy as np
import pytest

from defectkeras.micrographs.levels import find_percentiles


@pytest.mark.parametrize("kind", ["bytes", "words", "floats", "few"])
def test_percentiles_are_those_of_the_whole(kind):
    rng = np.random.default_rng(3)
    pixels = {
        "bytes": rng.integers(0, 256, (83, 57)),
        "words": rng.integers(0, 60000, (83, 57)),
        "floats": rng.normal(0, 1e3, (83, 57)),
        "few": np.array([[-3.5, 0.0, -0.0, 7.25]]),
    }[kind].astype(np.float32)
    percents = [0.0, 0.1, 33.3, 50.0, 99.9, 100.0]
    found = find_percentiles(
        lambda: (pixels[n : n + 10] for n in range(0, len(pixels), 10)), percents
    )
    assert found == np.percentile(pixels, percents).tolist()
