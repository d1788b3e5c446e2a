import keras
import numpy as np
import pytest

from defectkeras.core.errors import TrainingError
from defectkeras.training import precision
from defectkeras.training.precision import (
    choose_precision,
    cpu_has_bfloat16,
    gpu_capabilities,
    in_float32,
    with_policy,
)


@pytest.mark.parametrize(
    ("capabilities", "policy", "reason"),
    [
        ([(6, 1)], "float32", "6.1"),
        ([(7, 0)], "mixed_float16", "7.0"),
        ([(9, 0), (9, 0)], "mixed_float16", "9.0"),
        ([(9, 0), (6, 0)], "float32", "6.0"),  # the weakest decides
    ],
)
def test_auto_looks_at_the_gpus(capabilities, policy, reason):
    choice = choose_precision("auto", capabilities=capabilities)
    assert choice.policy == policy
    assert reason in choice.reason


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_a_request_wins(policy):
    assert choose_precision(policy, capabilities=[(9, 0)]).policy == policy


def test_unknown_precision_names_the_nearest():
    with pytest.raises(TrainingError, match="Did you mean 'mixed_float16'"):
        choose_precision("mixed_float_16")


def test_this_machine_is_asked():
    expected = choose_precision("auto", capabilities=gpu_capabilities())
    assert choose_precision("auto") == expected


@pytest.mark.parametrize(
    ("seconds", "policy", "reason"),
    [
        (0.5, "mixed_bfloat16", "2.00 times as fast"),
        (0.95, "float32", "1.05 times as fast"),
        (2.0, "float32", "0.50 times as fast"),
    ],
)
def test_bfloat16_must_be_measured_to_be_faster(monkeypatch, seconds, policy, reason):
    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: True)
    times = {"float32": 1.0, "mixed_bfloat16": seconds}
    choice = choose_precision("auto", capabilities=[], measure=times.__getitem__)
    assert choice.policy == policy
    assert reason in choice.reason


def test_cpu_without_bfloat16_is_not_measured(monkeypatch):
    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: False)
    choice = choose_precision("auto", capabilities=[], measure=lambda policy: 1 / 0)
    assert choice.policy == "float32"
    assert "has no bfloat16" in choice.reason


def test_flags_of_the_cpu_are_read(tmp_path, monkeypatch):
    assert not cpu_has_bfloat16("flags : fpu avx2 avx512f")
    monkeypatch.setattr(precision, "CPU_INFO", tmp_path / "nothing")
    assert not cpu_has_bfloat16()


def test_a_policy_ends_with_its_models():
    before = keras.config.dtype_policy()
    with with_policy("mixed_bfloat16"):
        layer = keras.layers.Dense(3)
    assert layer.compute_dtype == "bfloat16"
    assert keras.config.dtype_policy() == before
    with pytest.raises(KeyError), with_policy("mixed_float16"):
        raise KeyError
    assert keras.config.dtype_policy() == before


def test_a_trained_model_computes_in_float32():
    with with_policy("mixed_bfloat16"):
        image = keras.Input((None, None, 1))
        x = keras.layers.Conv2D(3, 3, padding="same", name="inner")(image)
        inner = keras.Model(image, keras.layers.BatchNormalization()(x), name="part")
        x = keras.layers.Conv2D(2, 1)(inner(image))
        mixed = keras.Model(
            image, keras.layers.Activation("linear", dtype="float32")(x)
        )
    plain = in_float32(mixed)
    assert in_float32(plain) is plain
    assert plain.get_layer("part").get_layer("inner").compute_dtype == "float32"
    for one, other in zip(mixed.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    pixels = np.random.default_rng(0).random((1, 5, 7, 1), np.float32)
    np.testing.assert_allclose(plain(pixels), mixed(pixels), atol=0.02)
    assert np.any(np.asarray(plain(pixels)) != np.asarray(mixed(pixels)))
