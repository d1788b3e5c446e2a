"""Descriptors of patches against images with known statistics."""

import numpy as np
import pytest

from defectkeras.prediction.descriptors import (
    cut_patches,
    describe_certainty,
    describe_entropy,
    describe_grey_levels,
    describe_texture,
    gather_patches,
    relative_entropy,
)


def noise(shape, seed=0):
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def test_patches_reach_from_border_to_border():
    image = np.arange(300 * 450, dtype=np.float32).reshape(300, 450)
    patches = cut_patches(image)
    assert patches.shape == (3 * 4, 128, 128)
    np.testing.assert_array_equal(patches[0], image[:128, :128])
    np.testing.assert_array_equal(patches[-1], image[-128:, -128:])
    assert cut_patches(np.zeros((1500, 4000), np.float32)).shape == (64, 128, 128)


@pytest.mark.parametrize("shape", [(1, 7), (40, 300), (129, 128)])
def test_small_images_are_mirrored(shape):
    patches = cut_patches(noise(shape))
    assert patches.shape[1:] == (128, 128)
    assert set(np.unique(patches)) <= set(np.unique(noise(shape)))


def test_uniform_grey_levels():
    (found,) = describe_grey_levels(noise((128, 128)))
    np.testing.assert_allclose(found[:5], [0.05, 0.25, 0.5, 0.75, 0.95], atol=0.02)
    assert 10 ** found[5] == pytest.approx(12**-0.5, rel=0.02)
    assert found[6] == pytest.approx(5, abs=0.01)  # 32 equally filled bins


def test_white_noise_has_power_in_proportion_to_the_area_of_each_octave():
    found = describe_texture(noise((512, 900))).mean(axis=0)
    # Circular rings: each octave has a quarter of the area of the one above
    np.testing.assert_allclose(np.diff(found), -np.log10(4), atol=0.1)
    assert (10**found).sum() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("octave", [0, 1, 2, 3])
def test_a_wave_lies_in_one_octave(octave):
    frequency = 0.75 / 2 ** (octave + 1)
    wave = np.sin(2 * np.pi * frequency * np.arange(260)).astype(np.float32)
    for image in (np.tile(wave, (200, 1)), np.tile(wave, (200, 1)).T):
        shares = 10 ** describe_texture(image)
        np.testing.assert_allclose(shares[:, octave], 1, atol=0.01)


def test_texture_does_not_depend_on_contrast():
    image = noise((200, 300))
    np.testing.assert_allclose(
        describe_texture(image), describe_texture(0.2 * image + 0.5), atol=1e-3
    )


def test_constant_images_are_finite():
    flat = np.zeros((130, 140), np.float32)
    for describe in (describe_grey_levels, describe_texture):
        assert np.isfinite(describe(flat)).all()


def test_entropy_of_known_probabilities():
    p = np.array([0.9, 0.1], np.float32)
    found = describe_certainty(np.broadcast_to(p, (150, 200, 2)))
    entropy = -(p * np.log2(p)).sum()
    np.testing.assert_allclose(10**found, entropy, rtol=1e-5)
    sure = np.broadcast_to(np.array([1, 0], np.float32), (150, 200, 2))
    np.testing.assert_allclose(describe_certainty(sure), -6)


@pytest.mark.parametrize("shape", [(40, 900), (129, 100), (1500, 2300), (256, 260)])
def test_gathered_patches_are_those_of_the_whole(shape):
    whole = noise(shape)
    read = []

    def read_rows(first, stop):
        read.append((first, stop))
        return whole[first:stop]

    small = gather_patches(read_rows, shape)
    assert max(small.shape) <= 1024
    assert max(stop for _, stop in read) == shape[0]
    assert all(stop - first <= 128 for first, stop in read)
    np.testing.assert_array_equal(cut_patches(small), cut_patches(whole))


def test_entropy_of_rows_is_that_of_the_whole():
    probability = noise((301, 270, 3))
    probability /= probability.sum(axis=-1, keepdims=True)
    rows, first = [], 0
    for count in (7, 1, 150, 143):  # odd ones, too
        part = probability[first : first + count]
        rows.append(relative_entropy(part[first % 2 :]))
        first += count
    found = describe_entropy(np.concatenate(rows))
    np.testing.assert_array_equal(found, describe_certainty(probability))
