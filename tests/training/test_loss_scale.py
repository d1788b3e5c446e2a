from defectkeras.training.loss_scale import GROW_AFTER, LossScale, loss_scale_for


def test_only_float16_needs_a_factor():
    assert loss_scale_for("mixed_float16") == LossScale(2.0**15, is_dynamic=True)
    for policy in ("float32", "mixed_bfloat16"):
        scale = loss_scale_for(policy)
        assert scale.value == 1.0
        assert not scale.can_fall
        assert scale.after(is_finite=True) == scale


def test_it_falls_at_an_overflow_and_no_deeper_than_one():
    scale = LossScale(4.0, 7, is_dynamic=True).after(is_finite=False)
    assert scale == LossScale(2.0, 0, is_dynamic=True)
    scale = scale.after(is_finite=False)
    assert scale.value == 1.0
    assert not scale.can_fall


def test_it_grows_after_a_long_time_without():
    scale = LossScale(4.0, is_dynamic=True)
    for _ in range(GROW_AFTER - 1):
        scale = scale.after(is_finite=True)
    assert scale.value == 4.0
    assert scale.after(is_finite=True) == LossScale(8.0, 0, is_dynamic=True)
