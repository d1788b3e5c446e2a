"""Two devices, or two workers, give what one gives with the whole batch."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from defectkeras.core.errors import TrainingError
from defectkeras.pipelines.input_pipeline import Share
from defectkeras.training.checkpoint import CHECKPOINT
from defectkeras.training.strategy import Devices, choose_devices

WORKER = Path(__file__).with_name("worker.py")


class Strategy:
    num_replicas_in_sync = 6


def start(folder, strategy, environment=None, **settings):
    words = [sys.executable, WORKER, folder, strategy, json.dumps(settings)]
    return subprocess.Popen(
        [str(word) for word in words],
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(*processes):
    """Wait for all at once, for one may wait for another whose pipe is full."""
    with ThreadPoolExecutor() as pool:
        told = list(pool.map(lambda p: p.communicate(timeout=400), processes))
    return [(p.returncode, *texts) for p, texts in zip(processes, told, strict=True)]


def outputs(*processes):
    """Give what they print; all must end well."""
    ended = finish(*processes)
    for code, _, errors in ended:
        assert code == 0, errors[-3000:]
    return [output for _, output, _ in ended]


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def start_two(folder, settings=({}, {}), strategy="multiworker"):
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    return [
        start(
            folder,
            strategy,
            {
                "TF_CONFIG": json.dumps(
                    {
                        "cluster": {"worker": workers},
                        "task": {"type": "worker", "index": index},
                    }
                )
            },
            **settings[index],
        )
        for index in range(2)
    ]


def assert_close(first, second):
    with np.load(first / CHECKPOINT) as a, np.load(second / CHECKPOINT) as b:
        assert sorted(a.files) == sorted(b.files)
        for key in a.files:
            if key != "state":
                np.testing.assert_allclose(a[key], b[key], atol=2e-5, err_msg=key)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run on one device."""
    folder = tmp_path_factory.mktemp("one") / "run"
    assert outputs(start(folder, "one")) == ["One CPU."]
    return folder


def test_batch_parts_evenly():
    devices = Devices(Strategy(), worker=1, workers=2, reason="")
    assert devices.share(24, 2) == Share(worker=1, workers=2, pieces=6)
    with pytest.raises(TrainingError, match=r"multiple of 6 \(devices\) times 2"):
        devices.share(18, 2)


def test_one_device_is_the_default():
    devices = choose_devices()
    assert (devices.replicas, devices.workers) == (1, 1)
    assert devices.is_chief
    assert devices.any_worker(True)
    assert not devices.any_worker(False)


def test_slips_are_told(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(TrainingError, match="Did you mean 'mirrored'"):
        choose_devices("miror")
    with pytest.raises(TrainingError, match="TF_CONFIG"):
        choose_devices("multiworker")


@pytest.mark.slow
@pytest.mark.parametrize("accumulation_steps", [1, 2])
def test_two_devices_give_the_same_weights(whole, tmp_path, accumulation_steps):
    """In two parts too; batch normalization then sees halves, so 4 is not 2 + 2."""
    folder, settings = tmp_path / "run", {"accumulation_steps": accumulation_steps}
    (told,) = outputs(start(folder, "mirrored", **settings))
    assert "2 CPU" in told
    if accumulation_steps == 1:
        assert_close(folder, whole)
    with np.load(folder / CHECKPOINT) as file:
        finite = {k: np.isfinite(file[k]).all() for k in file.files if k != "state"}
    assert set(finite.values()) == {True}


@pytest.mark.slow
def test_two_workers_give_the_same_weights(whole, tmp_path):
    told = outputs(*start_two(tmp_path / "run"))
    assert told == ["Worker 1 of 2.", "Worker 2 of 2."]
    assert_close(tmp_path / "run", whole)


@pytest.mark.slow
def test_killed_worker_ends_the_run_which_can_go_on(whole, tmp_path):
    (code, _, errors), _ = finish(*start_two(tmp_path / "run", ({}, {"die_after": 4})))
    assert code != 0  # in bounded time
    assert "Another worker has gone" in errors
    assert "--resume" in errors
    outputs(*start_two(tmp_path / "run"))
    assert_close(tmp_path / "run", whole)


@pytest.mark.slow
def test_fit_of_keras_still_does_not_start_with_two_workers(tmp_path):
    """One of the reasons for our loop; when this fails, see `step.py` again."""
    for code, _, errors in finish(*start_two(tmp_path, strategy="fit")):
        assert code != 0
        assert "PerReplica" in errors
