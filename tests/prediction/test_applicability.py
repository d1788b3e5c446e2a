"""What is like the training micrographs, and what is not."""

import dataclasses
import json

import cv2
import numpy as np
import pytest

from defectkeras.core.errors import DefectKerasError
from defectkeras.prediction.applicability import (
    ALIKE,
    Applicability,
    Reference,
    compare,
    cut_in_quarters,
    describe_image,
    describe_probabilities,
    fit_reference,
    margin,
    read_references,
)


def grain(seed, sigma_px, mean=0.5, shape=(260, 390)):
    """Grain of a certain size, normalized to [0, 1]."""
    white = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    smooth = cv2.GaussianBlur(white, (0, 0), sigma_px)
    return np.clip(mean + 0.08 * smooth / smooth.std(), 0, 1).astype(np.float32)


@pytest.fixture(scope="module")
def references():
    described = [describe_image(grain(seed, 2 + 0.1 * seed)) for seed in range(6)]
    return {kind: fit_reference([d[kind] for d in described]) for kind in described[0]}


def test_further_micrographs_of_the_kind_pass(references):
    for seed in range(10, 15):
        found = compare(describe_image(grain(seed, 2.25)), references)
        assert found.score <= 1
        assert found.warning is None


def test_what_differs_is_named(references):
    fine = compare(describe_image(grain(20, 0.6)), references)
    assert fine.ratios["texture"] > 1 >= fine.ratios["grey levels"]
    assert fine.warning.startswith("Unlike the training micrographs in texture (score")
    dark = compare(describe_image(grain(21, 2.25, mean=0.3)), references)
    assert dark.ratios["grey levels"] > 1 >= dark.ratios["texture"]


def test_reference_is_as_numpy_finds_it(references):
    descriptors = [describe_image(grain(s, 2 + 0.1 * s))["texture"] for s in range(6)]
    patches = np.concatenate(descriptors)
    reference = references["texture"]
    np.testing.assert_allclose(reference.mean, patches.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(
        np.diag(reference.covariance), patches.var(axis=0), rtol=0.2
    )  # shrinking and the least spread change it a little
    assert reference.left_out == 6


def test_distance_is_that_of_mahalanobis():
    reference = Reference((1.0, 2.0), ((4.0, 0.0), (0.0, 9.0)), limit=1.0, left_out=4)
    patches = np.array([[4.0, 8.0], [6.0, 8.0]])  # mean (5, 8): 2 and 2 sigmas off
    assert reference.distance(patches) == pytest.approx(np.sqrt(8))


def test_quarters_stand_for_a_single_micrograph():
    image = grain(0, 2.0)
    quarters = cut_in_quarters(image)
    assert sum(q.size for q in quarters) == image.size
    assert len(quarters) == 4
    np.testing.assert_array_equal(quarters[1], image[:130, 195:])
    described = [describe_image(q)["texture"] for q in quarters]
    reference = fit_reference(described, of_one=True)
    assert reference.left_out == 1
    of_four = fit_reference(described).limit
    assert reference.limit > of_four > 1  # of four micrographs more would be known
    fine = compare(describe_image(grain(1, 0.6)), {"texture": reference})
    assert "limit 1, learned from one micrograph alone)" in fine.warning


@pytest.mark.parametrize("num_patches", [4, 16, 36])
def test_few_patches_of_what_was_learned_are_seldom_warned_of(num_patches):
    rng = np.random.default_rng(0)
    reference = Reference((0.0,) * 5, tuple(map(tuple, np.eye(5))), 1.0, left_out=9)
    means = rng.normal(size=(2000, 5)) / np.sqrt(num_patches / ALIKE)
    unlike = [
        reference.distance(mean[np.newaxis]) > reference.limit_of(num_patches)
        for mean in means
    ]
    assert np.mean(unlike) < 0.06
    assert reference.limit_of(num_patches) > reference.limit_of(64) == reference.limit
    assert reference.limit_of(1) == reference.limit_of(ALIKE)  # not more than one


@pytest.mark.parametrize("count", [4, 10, 19])
def test_about_one_further_micrograph_in_twenty_is_beyond_the_limit(count):
    rng = np.random.default_rng(count)

    def micrograph():  # whose patches are alike, beside how micrographs differ
        return rng.normal(size=5) + 0.3 * rng.normal(size=(64, 5))

    beyond = []
    for _ in range(40):
        reference = fit_reference([micrograph() for _ in range(count)])
        beyond += [reference.ratio(micrograph()) > 1 for _ in range(50)]
    assert 0.02 < np.mean(beyond) < 0.09


def test_margin_leads_from_the_largest_to_the_quantile_of_95_percent():
    distances = np.sqrt(np.random.default_rng(0).chisquare(7, size=200_000))
    for count in (1, 3, 9):
        largest = np.quantile(distances, count / (count + 1))
        limit = margin(count, 7) * largest
        assert np.mean(distances > limit) == pytest.approx(0.05, abs=0.003)
    assert margin(19, 7) == margin(64, 7) == 1


def test_limit_of_micrographs_that_are_all_the_same_is_not_zero():
    same = [np.ones((4, 3))] * 4
    assert fit_reference(same).limit == 1
    with pytest.raises(ValueError, match="needs two micrographs"):
        fit_reference(same[:1])


def test_a_hundredth_is_no_spread():
    """Single patches tell none of their own: what is 0.05 off is off by five."""
    patches = [np.array([[0.0, 0.0, 0.0]]), np.array([[0.03, 0.0, 0.04]])]
    expected = 5 * margin(2, 3)
    assert fit_reference(patches).limit == pytest.approx(expected, rel=1e-5)


def test_certainty_of_a_network_that_hesitates():
    def probabilities(p, seed):
        noise = 0.01 * np.random.default_rng(seed).random((130, 260), np.float32)
        return np.stack([p - noise, 1 - p + noise], axis=-1).astype(np.float32)

    described = [describe_probabilities(probabilities(0.98, s)) for s in range(5)]
    references = {"certainty": fit_reference([d["certainty"] for d in described])}
    for p, is_known in ((0.98, True), (0.6, False)):
        found = compare(describe_probabilities(probabilities(p, 9)), references)
        assert (found.warning is None) == is_known


def test_round_trip_through_json(references):
    table = {kind: dataclasses.asdict(r) for kind, r in references.items()}
    again = json.loads(json.dumps(table, allow_nan=False))
    assert read_references(again, where="card") == references
    again["texture"]["limits"] = again["texture"].pop("limit")
    with pytest.raises(DefectKerasError, match="card texture: unknown key 'limits'"):
        read_references(again, where="card")


def test_nothing_to_compare_is_no_score(references):
    assert compare({}, references) is None
    assert compare(describe_image(grain(0, 2.0)), {}) is None


def test_scores_for_json():
    found = Applicability({"texture": 2.0, "certainty": 1.5, "grey levels": 0.1})
    assert found.to_dict() == {"score": 2.0, "limit": 1.0, "ratios": found.ratios}
    assert "in texture and certainty (score 2, limit 1)" in found.warning
