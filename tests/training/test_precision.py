import pytest

from defectkeras.core.errors import TrainingError
from defectkeras.training.precision import choose_precision, gpu_capabilities


@pytest.mark.parametrize(
    ("capabilities", "policy", "reason"),
    [
        ([], "float32", "no GPU"),
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
