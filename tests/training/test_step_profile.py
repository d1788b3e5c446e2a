import pytest
import tensorflow as tf

from defectkeras.training.step_profile import profile_steps


def work(of_step, count):
    for _ in range(count):
        with of_step():
            tf.linalg.matmul(tf.ones((30, 40)), tf.ones((40, 20)))


def profiles(folder):
    return [p for p in folder.rglob("*.xplane.pb") if p.stat().st_size]


@pytest.mark.parametrize("steps", [3, 7])  # ended within and after the profile
def test_profile_is_written(steps, tmp_path):
    with profile_steps(tmp_path, True) as of_step:
        work(of_step, steps)
    assert len(profiles(tmp_path)) == 1
    tf.profiler.experimental.start(str(tmp_path / "free"))  # the profiler is free again
    tf.profiler.experimental.stop(save=False)


def test_profile_is_closed_by_an_error(tmp_path):
    def fail():
        with profile_steps(tmp_path, True) as of_step:
            work(of_step, 2)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert len(profiles(tmp_path)) == 1


def test_nothing_is_profiled_unless_asked_for(tmp_path):
    with profile_steps(tmp_path, False) as of_step:
        work(of_step, 7)
    assert list(tmp_path.iterdir()) == []
