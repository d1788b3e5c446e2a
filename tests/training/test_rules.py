"""Each rule for settings against worked values and at its limits."""

import dataclasses

import pytest

from defectkeras.datasets.survey import ClassSurvey, Spread, Survey
from defectkeras.training import rules


def spread(smallest, median=None, largest=None):
    return Spread(9, smallest, median or smallest, largest or median or smallest)


def survey_of(
    *,
    pixel_sizes_nm=None,
    unknown=0,
    fractions=(0.9, 0.1),
    nm=None,
    contrasts=None,
):
    kinds = ("matrix", *["region"] * (len(fractions) - 1))
    classes = tuple(
        ClassSurvey(f"c{k}", kind, int(1e6 * f), f, 4, *[None] * 5)
        for k, (kind, f) in enumerate(zip(kinds, fractions, strict=True))
    )
    if nm:
        classes = (classes[0], dataclasses.replace(classes[1], diameters_nm=nm))
    if contrasts:
        classes = (
            classes[0],
            dataclasses.replace(classes[1], contrasts=spread(*contrasts)),
        )
    one = spread(500.0)
    return Survey(
        examples=4,
        specimens=4,
        fingerprint="sha256:0",
        pixels=1_000_000,
        heights_px=one,
        widths_px=one,
        pixel_sizes_nm=pixel_sizes_nm,
        unknown_pixel_sizes=unknown,
        grey_levels={},
        grey_middles=spread(0.5),
        scan_roughness=spread(1.0),
        brightness_slopes=spread(0.0),
        not_annotated=0.0,
        examples_with_gaps=0,
        classes=classes,
    )


def test_only_different_pixel_sizes_are_resampled():
    target = rules.choose_target_pixel_size_nm
    assert target(survey_of()) is None
    assert target(survey_of(pixel_sizes_nm=spread(1.0, 1.1, 1.25))) is None
    apart = spread(0.5, 1.0, 2.0)
    assert target(survey_of(pixel_sizes_nm=apart, unknown=1)) is None
    assert target(survey_of(pixel_sizes_nm=apart)) == 1.0
    assert target(survey_of(pixel_sizes_nm=apart, nm=spread(1.5, 9.0, 20.0))) == 0.5


def test_sizes_are_those_that_the_network_sees():
    seen = survey_of(nm=spread(4.0, 8.0, 16.0)).classes[1]
    assert rules.sizes_at(seen, 2.0) == spread(2.0, 4.0, 8.0)
    assert rules.sizes_at(seen, None) is None  # px are not known here


@pytest.mark.parametrize(
    ("sizes", "architecture", "stride"),
    [
        ([], "defectsegnet", None),
        ([spread(3.0, 20.0, 100.0)], "defectsegnet", None),
        ([spread(3.0, 20.0, 300.0)], "encoder_unet", None),
        ([spread(20.0, 90.0, 300.0)], "deeplab_v3_plus", 8),
        ([spread(40.0, 90.0, 300.0)], "deeplab_v3_plus", 16),
        ([spread(40.0, 90.0, 300.0), spread(4.0)], "encoder_unet", None),
    ],
)
def test_architecture_follows_the_sizes(sizes, architecture, stride):
    found, arguments = rules.choose_architecture(sizes)
    assert found == architecture
    assert arguments.get("output_stride") == stride


@pytest.mark.parametrize(
    ("reach", "largest", "stride", "side", "expected"),
    [
        (51, 40.0, 8, 700.0, 224),
        (51, 200.0, 8, 700.0, 416),
        (51, 40.0, 8, 130.0, 128),  # no larger than the micrograph
        (51, 40.0, 8, 30.0, 64),  # but not tiny
        (None, 40.0, 16, 900.0, 512),
        (300, 40.0, 32, 900.0, 512),
        (51, 40.0, 12, 900.0, 288),  # of 32 and of the stride
    ],
)
def test_patch_size_follows_reach_objects_and_micrographs(
    reach, largest, stride, side, expected
):
    assert expected % stride == 0
    found = rules.choose_patch_size(
        reach_px=reach, largest_px=largest, stride=stride, shorter_side_px=side
    )
    assert found == expected


@pytest.mark.parametrize(
    ("patches_in_half", "expected"),
    [(0, (8, 4)), (3, (8, 4)), (7, (8, 2)), (9, (8, 1)), (500, (16, 1))],
)
def test_batch_follows_the_memory(patches_in_half, expected):
    assert rules.choose_batch(1000, 2 * 1000 * patches_in_half) == expected


@pytest.mark.parametrize(
    ("fractions", "expected"),
    [((0.7, 0.3), 0.33), ((0.95, 0.05), 0.5), ((0.699, 0.3, 0.001), 0.67)],
)
def test_rare_classes_are_drawn_more_often(fractions, expected):
    found = rules.choose_rare_class_fraction(survey_of(fractions=fractions))
    assert found == expected


def test_loss_knows_lines_and_rare_classes():
    rare, common = survey_of(), survey_of(fractions=(0.6, 0.4))
    assert rules.choose_loss(rare, None) == "0.5*ce + 0.5*dice"
    assert rules.choose_loss(common, None) == "ce"
    assert rules.choose_loss(common, 7.0) == "ce + 0.3*cldice(iterations=4)"


def test_augmentation_follows_the_micrographs():
    assert rules.choose_scale_range(survey_of()) == (0.7, 1.4)
    known = survey_of(pixel_sizes_nm=spread(1.0))
    assert rules.choose_scale_range(known) == (0.8, 1.25)
    assert rules.choose_gamma(spread(0.5)) == 0.1
    assert rules.choose_gamma(spread(0.3, 0.5, 0.6)) == 0.43
    assert rules.choose_gamma(spread(0.0, 0.5, 1.0)) == 0.5
    assert rules.choose_blur_px(None) == 1.0
    assert rules.choose_blur_px(2.0) == 0.5


def test_gamma_takes_dark_micrographs_to_bright_ones():
    gamma = rules.choose_gamma(spread(0.3, 0.5, 0.6))
    assert 0.3 ** (2.718281828 ** (-2 * gamma)) == pytest.approx(0.6, abs=0.01)


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [(10_000, (50, 25)), (20_000_000, (98, 39)), (10**10, (50, 250))],
)
def test_epochs_follow_the_pixels(pixels, expected):
    assert rules.choose_epochs(pixels, 256, 8) == expected


@pytest.mark.parametrize(
    ("contrasts", "probability"),
    [
        (None, 0.0),
        ((-0.5, -0.4, -0.2), 0.0),  # always dark
        ((-0.02, 0.1, 0.4), 0.0),  # once as bright as the matrix
        ((-0.4, 0.0, 0.4), 0.5),  # bright field and dark field
    ],
)
def test_bright_and_dark_are_exchanged_where_both_are_seen(contrasts, probability):
    assert rules.choose_inversion(survey_of(contrasts=contrasts)) == probability


def test_scan_lines_move_where_they_are_seen():
    choose = rules.choose_scan_jitter_px
    assert choose(spread(0.9, 1.0, 1.5)) == 0.0  # a camera, and one layered specimen
    assert choose(spread(1.1, 1.2, 1.3)) == 0.5


def test_brightness_slopes_as_it_does_in_the_set():
    choose = rules.choose_charging
    assert choose(spread(0.0, 0.02, 0.09)) == 0.0
    assert choose(spread(0.0, 0.1, 0.214)) == 0.21
    assert choose(spread(0.5, 0.6, 0.8)) == 0.3
