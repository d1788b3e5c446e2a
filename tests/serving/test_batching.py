import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from defectkeras.serving.batching import Batcher, Job
from defectkeras.serving.status import Code, StatusError

LIMITS = {
    "num_threads": 1,
    "max_batch_size": 8,
    "max_pixels": 100,
    "max_wait_s": 0.2,
    "max_jobs": 100,
}


class Doubling:
    """Stands for a version: doubles `x`, refuses 13, and notes its batches."""

    def __init__(self, wait=None):
        self.batches, self.wait = [], wait

    def run(self, signature, inputs, outputs=()):
        if self.wait is not None:
            self.wait.wait(30)
        self.batches.append(inputs["x"].shape)
        if np.any(inputs["x"] == 13):
            raise StatusError(Code.INVALID_ARGUMENT, "thirteen")
        if np.any(inputs["x"] == 14):
            raise KeyError("a slip")
        return {"y": 2 * inputs["x"]}


@pytest.fixture
def batcher():
    made = Batcher(**LIMITS)
    yield made
    made.stop()


def ask(batcher, servable, value, width=3, pixels=1, timeout_s=30.0):
    x = np.full((1, width), value)
    job = Job(servable, "s", {"x": x}, pixels=pixels)
    return batcher.run(job, timeout_s=timeout_s)["y"]


def test_requests_that_fit_are_computed_together(batcher):
    servable = Doubling()
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda i: ask(batcher, servable, i), range(12)))
    assert [f.tolist() for f in found] == [[[2 * i] * 3] for i in range(12)]
    assert len(servable.batches) < 12
    assert sum(shape[0] for shape in servable.batches) == 12
    assert max(shape[0] for shape in servable.batches) <= 8


def test_large_requests_are_computed_alone(batcher):
    servable = Doubling()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda i: ask(batcher, servable, i, pixels=60), range(6)))
    assert servable.batches == [(1, 3)] * 6


def test_other_shapes_and_versions_stay_apart(batcher):
    first, second = Doubling(), Doubling()
    with ThreadPoolExecutor(16) as pool:
        jobs = [(first, 3), (second, 3), (first, 5), (second, 5)] * 3
        found = list(pool.map(lambda j: ask(batcher, j[0], 1, width=j[1]), jobs))
    assert [f.shape for f in found] == [(1, width) for _, width in jobs]
    for servable in (first, second):
        assert sum(shape[0] for shape in servable.batches) == 6


def test_a_bad_request_spoils_no_other(batcher):
    servable = Doubling()

    def outcome(value):
        try:
            return ask(batcher, servable, value).tolist()
        except StatusError as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(outcome, [1, 13, 3]))
    assert found == [[[2] * 3], Code.INVALID_ARGUMENT, [[6] * 3]]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(outcome, [1, 14, 3]))
    assert found == [[[2] * 3], Code.INTERNAL, [[6] * 3]]
    assert outcome(14) is Code.INTERNAL
    assert outcome(5) == [[10] * 3]  # the thread is still there


def test_what_takes_too_long_is_told(batcher):
    gate = threading.Event()
    with pytest.raises(StatusError) as caught:
        ask(batcher, Doubling(gate), 1, timeout_s=0.05)
    gate.set()
    assert caught.value.code is Code.DEADLINE_EXCEEDED
    assert ask(batcher, Doubling(), 1).tolist() == [[2] * 3]


def test_too_many_are_refused():
    gate = threading.Event()
    small = Batcher(**LIMITS | {"max_batch_size": 1, "max_wait_s": 0, "max_jobs": 2})
    servable = Doubling(gate)
    with ThreadPoolExecutor(3) as pool:
        running = pool.submit(ask, small, servable, 1)
        while small._jobs or not running.running():
            time.sleep(0.01)
        waiting = [pool.submit(ask, small, servable, 1) for _ in range(2)]
        while len(small._jobs) < 2:
            time.sleep(0.01)
        with pytest.raises(StatusError, match="queue is full") as caught:
            ask(small, servable, 1)
        assert caught.value.code is Code.UNAVAILABLE
        gate.set()
        for job in (running, *waiting):
            assert job.result().tolist() == [[2] * 3]
    small.stop()
    with pytest.raises(StatusError, match="queue is full"):
        ask(small, servable, 1)


def test_a_request_that_is_cancelled_while_it_waits_is_not_computed(batcher):
    wait = threading.Event()
    servable = Doubling(wait)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, batcher, servable, 1)
        job = Job(servable, "s", {"x": np.full((1, 4), 2)})
        second = pool.submit(batcher.run, job, timeout_s=30)
        time.sleep(0.5)  # the first is begun, and the second waits
        assert job.future.cancel()
        with pytest.raises(StatusError) as told:
            second.result(10)
        assert told.value.code is Code.CANCELLED
        wait.set()
        assert first.result(10).tolist() == [[2] * 3]
    batcher.stop()
    assert servable.batches == [(1, 3)]
