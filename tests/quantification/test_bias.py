"""Every default quantity against drawn foils of known contents: bias under 3 %."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.quantification.quantify import QuantifySettings, quantify
from defectkeras.quantification.swelling import volume_fraction_from_area
from defectkeras.synthesis.contents import DCI_STEM_SCHEME
from defectkeras.synthesis.synthesize import synthesize

PIXEL_SIZE_NM = 0.8
SHAPE = (400, 520)


def measure_spheres(sphere_foil, scheme, *, foils, settings=None, **contents):
    """Give measured over true sums of number, diameter, volume and swelling."""
    rng = np.random.default_rng(20240)
    thickness = contents["thickness"]
    calibration = Calibration(PIXEL_SIZE_NM, thickness * PIXEL_SIZE_NM)
    volume_nm3 = SHAPE[0] * SHAPE[1] * thickness * PIXEL_SIZE_NM**3
    true, found = [], []
    for _ in range(foils):
        foil = sphere_foil(rng, shape=SHAPE, **contents)
        result = quantify(
            foil.mask.astype(np.int32) * 3, scheme, calibration, settings=settings
        )
        fraction = foil.volume_fraction
        true.append(
            (
                foil.number / volume_nm3 * 1e27,
                foil.mean_diameter * PIXEL_SIZE_NM,
                100 * fraction,
                100 * fraction / (1 - fraction),
            )
        )
        found.append(
            [
                result.find("void", name).value
                for name in (
                    "number_density_per_m3",
                    "mean_equivalent_diameter_nm",
                    "volume_fraction_percent",
                    "swelling_percent",
                )
            ]
        )
    return np.sum(found, axis=0) / np.sum(true, axis=0)


@pytest.mark.parametrize(
    ("thickness", "mean", "log_sd"), [(60, 14, 0.25), (25, 16, 0.15)]
)
def test_spheres_are_measured_without_bias(
    sphere_foil, scheme, thickness, mean, log_sd
):
    ratio = measure_spheres(
        sphere_foil,
        scheme,
        foils=14,
        thickness=thickness,
        mean=mean,
        log_sd=log_sd,
        cell=34,
    )
    np.testing.assert_allclose(ratio, 1.0, atol=0.03)


def test_naive_methods_are_biased_as_the_formulas_say(sphere_foil, scheme):
    settings = QuantifySettings(
        number_density_method="naive",
        diameter_method="apparent",
        volume_method="all_visible",
    )
    thickness, mean = 25, 16
    ratio = measure_spheres(
        sphere_foil,
        scheme,
        foils=10,
        settings=settings,
        thickness=thickness,
        mean=mean,
        log_sd=0.0,
        cell=30,
    )
    number = 1 + mean / thickness
    diameter = (thickness + np.pi / 4 * mean) / (thickness + mean)
    # Seen volume: t D^3 + 3 pi / 16 D^4 per t D^3.
    volume = 1 + 3 * np.pi / 16 * mean / thickness
    np.testing.assert_allclose(ratio[:3], [number, diameter, volume], rtol=0.03)


@pytest.mark.parametrize("count", [60, 200])
def test_masks_of_crossing_lines_lose_no_length(line_foil, scheme, count):
    rng = np.random.default_rng(7)
    true, found = 0.0, np.zeros(2)
    for _ in range(6):
        foil = line_foil(rng, shape=(420, 500), thickness=90, count=count, width=5)
        result = quantify(foil.mask.astype(np.int32), scheme, Calibration(1.0, 90.0))
        true += 4 / np.pi * foil.projected_length / (420 * 500 * 90) * 1e18
        found += [
            result.find("dislocation", name).value
            for name in (
                "dislocation_density_per_m2",
                "dislocation_density_intercepts_per_m2",
            )
        ]
    np.testing.assert_allclose(found / true, 1.0, atol=0.03)


@pytest.mark.slow
def test_space_lines_are_measured_without_bias(line_foil, scheme):
    rng = np.random.default_rng(11)
    true, found = 0.0, np.zeros(2)
    for _ in range(40):
        foil = line_foil(rng, shape=(420, 500), thickness=90, count=150, width=5)
        result = quantify(foil.mask.astype(np.int32), scheme, Calibration(1.0, 90.0))
        true += foil.length / (420 * 500 * 90) * 1e18
        found += [
            result.find("dislocation", name).value
            for name in (
                "dislocation_density_per_m2",
                "dislocation_density_intercepts_per_m2",
            )
        ]
    np.testing.assert_allclose(found / true, 1.0, atol=0.03)


def test_lines_hidden_behind_regions_are_not_missed(line_foil, scheme, disc):
    rng = np.random.default_rng(3)
    true, found, whole = 0.0, 0.0, 0.0
    for _ in range(8):
        foil = line_foil(rng, shape=(420, 500), thickness=90, count=120, width=5)
        class_map = foil.mask.astype(np.int32)
        for _ in range(60):
            disc(class_map, *rng.uniform((0, 0), (420, 500)), 24, value=2)
        true += 4 / np.pi * foil.projected_length / (420 * 500 * 90) * 1e18
        calibration = Calibration(1.0, 90.0)
        name = ("dislocation", "dislocation_density_per_m2")
        found += quantify(class_map, scheme, calibration).find(*name).value
        settings = QuantifySettings(exclude_regions=False)
        whole += (
            quantify(class_map, scheme, calibration, settings=settings)
            .find(*name)
            .value
        )
    assert abs(found / true - 1) < 0.03
    assert whole / true < 0.93  # 13 % of the field is hidden


def test_overlapping_spheres_by_projected_area(disc):
    rng = np.random.default_rng(5)
    thickness, diameter, shape = 80.0, 18.0, (300, 420)
    per_volume, foils = 1.5e-5, 25
    covered = []
    for _ in range(foils):
        mask = np.zeros(shape, bool)
        sides = np.array([shape[0] + 40, shape[1] + 40, thickness + diameter])
        for _ in range(rng.poisson(per_volume * sides.prod())):
            row, column, depth = rng.uniform(0, sides) - (20, 20, diameter / 2)
            beyond = max(-depth, depth - thickness, 0)
            seen = 2 * np.sqrt(diameter**2 / 4 - beyond**2)
            if min(row, column) > -seen / 2:
                disc(mask, row, column, seen)
        covered.append(mask.mean())
    found = volume_fraction_from_area(np.mean(covered), thickness, diameter)
    assert found == pytest.approx(per_volume * np.pi / 6 * diameter**3, rel=0.03)


@pytest.mark.slow
def test_synthetic_micrographs_are_measured_without_bias():
    """All classes, shapes and crossings of a preset, 20 micrographs."""
    true, found = {}, {}
    for seed in range(20):
        synthetic = synthesize("dci-stem", shape=(512, 640), seed=seed)
        result = quantify(
            synthetic.class_map, DCI_STEM_SCHEME, synthetic.micrograph.calibration
        )
        truth = synthetic.truth
        known = {
            ("dislocation", "dislocation_density_per_m2"): (
                truth.dislocation_density_per_m2
            ),
            ("dislocation", "dislocation_density_intercepts_per_m2"): (
                truth.dislocation_density_per_m2
            ),
            ("void", "swelling_percent"): truth.swelling_percent,
        }
        for name, region in truth.regions.items():
            if region.count == 0:
                continue
            known |= {
                (name, "number_density_per_m3"): region.number_density_per_m3,
                (name, "mean_equivalent_diameter_nm"): region.mean_diameter_nm,
                (name, "volume_fraction_percent"): region.volume_fraction_percent,
            }
        for key, value in known.items():
            true[key] = true.get(key, 0.0) + value
            found[key] = found.get(key, 0.0) + result.find(*key).value
    ratios = {key: found[key] / true[key] for key in true}
    assert len(ratios) == 9
    assert all(abs(ratio - 1) < 0.03 for ratio in ratios.values()), ratios


@pytest.mark.slow
def test_intervals_hold_the_truth(monkeypatch):
    """A small version of benchmarks/estimator_truth.py."""
    path = Path(__file__).parents[2] / "benchmarks" / "estimator_truth.py"
    spec = importlib.util.spec_from_file_location("estimator_truth", path)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    monkeypatch.setattr(benchmark, "SETTINGS", {"default": QuantifySettings()})
    rows = pd.DataFrame(
        [r for seed in range(24) for r in benchmark.measure(seed, lines_only=False)]
    )
    held = {
        key: benchmark.coverage(group)
        for key, group in rows.groupby(["class", "quantity"])
    }
    assert len(held) == 10
    assert min(held.values()) > 80, held
    assert np.mean(list(held.values())) > 90
