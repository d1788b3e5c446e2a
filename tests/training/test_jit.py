import pytest

from defectkeras.core.errors import TrainingError
from defectkeras.training.jit import choose_jit


@pytest.mark.parametrize(
    ("replicas", "has_gpu", "not_compilable", "is_on", "reason"),
    [
        (1, True, (), True, "compiles every operation"),
        (1, False, (), False, "slower"),
        (2, True, (), False, "21366"),
        (1, True, ("MaxPoolWithArgmax",), False, "no kernel for MaxPoolWithArgmax"),
    ],
)
def test_auto_says_why(replicas, has_gpu, not_compilable, is_on, reason):
    choice = choose_jit(
        "auto", replicas=replicas, has_gpu=has_gpu, not_compilable=not_compilable
    )
    assert choice.is_on == is_on
    assert reason in choice.reason


def test_a_request_wins_where_it_can():
    where = {"has_gpu": False, "not_compilable": ()}
    assert choose_jit("on", replicas=1, **where).is_on
    assert not choose_jit("off", replicas=1, **where).is_on
    with pytest.raises(TrainingError, match="cannot be on"):
        choose_jit("on", replicas=2, **where)
    with pytest.raises(TrainingError, match="ResizeBicubic"):
        choose_jit("on", replicas=1, has_gpu=True, not_compilable=("ResizeBicubic",))
