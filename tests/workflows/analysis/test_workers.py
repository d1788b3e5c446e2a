"""Many tasks at once: in this process, in others, on a cluster."""

import contextlib
import operator
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from defectkeras.core.errors import DefectKerasError
from defectkeras.workflows.analysis import workers

# FIXME from defectkeras.workflows import workers
from defectkeras.workflows.analysis.workers import (
    choose_workers,
    map_in_processes,
    map_on_cluster,
    share_of_machine,
    visible_gpus,
)

PARENT_OF_A_SLEEPER = """
import sys, time
from defectkeras.workflows.analysis.workers import map_in_processes

if __name__ == "__main__":
    for line in map_in_processes(eval, ["__import__('os').getpid()"] * 2, 2):
        print(line, flush=True)
        time.sleep(600)
"""

PARENT_OF_TWO = """
import os, signal, time
from pathlib import Path
from defectkeras.workflows.analysis.workers import map_in_processes

def wait_for_the_word(number):
    Path(f"{number}.begun").write_text(str(os.getpid()))
    while not Path("word").exists():
        time.sleep(0.01)
    Path(f"{number}.ended").touch()

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # none when run by "&"
    list(map_in_processes(wait_for_the_word, range(6), 2))
"""


@pytest.mark.parametrize("count", [1, 2])
def test_every_task_is_done_once(count):
    done = map_in_processes(operator.neg, range(5), count)
    assert sorted(done) == [-4, -3, -2, -1, 0]


def test_processes_divide_the_cores():
    threads = str(max(1, workers.usable_cores() // 2))
    assert set(map_in_processes(os.getenv, ["OMP_NUM_THREADS"] * 3, 2)) == {threads}


def test_a_killed_worker_is_told_and_not_waited_for():
    with pytest.raises(DefectKerasError, match=r"killed.*again to go on"):
        list(map_in_processes(signal.raise_signal, [signal.SIGKILL] * 2, 2))


def test_no_more_begins_when_no_more_is_wanted():
    with contextlib.closing(map_in_processes(time.sleep, [0.01] + [60] * 9, 1)) as done:
        next(done)


@contextlib.contextmanager
def parent_of_two(folder):
    """Give a process that has two workers at work, all in a group of their own."""
    (folder / "parent.py").write_text(PARENT_OF_TWO)
    with subprocess.Popen(
        [sys.executable, "parent.py"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as parent:
        _wait_until(lambda: len(list(folder.glob("*.begun"))) == 2)
        _wait_until(lambda: all(p.read_text() for p in folder.glob("*.begun")))
        yield parent


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_has_begun_ends_at_an_interruption_and_no_more_begins(tmp_path, number):
    with parent_of_two(tmp_path) as parent:
        os.killpg(parent.pid, number)  # as terminals and clusters do
        (tmp_path / "word").touch()
        told = parent.communicate(timeout=60)[1]
    assert sorted(p.name for p in tmp_path.glob("*.begun")) == ["0.begun", "1.begun"]
    assert len(list(tmp_path.glob("*.ended"))) == 2
    kinds = {
        signal.SIGINT: "KeyboardInterrupt",
        signal.SIGTERM: "defectkeras.training.interruption.Terminated",
    }
    assert told.splitlines()[-1] == kinds[number]  # nothing of resource_tracker


def test_a_second_interruption_ends_it_at_once(tmp_path):
    with parent_of_two(tmp_path) as parent:
        while parent.poll() is None:
            parent.send_signal(signal.SIGINT)
            time.sleep(0.05)
        assert parent.stderr.read().splitlines()[-1] == "KeyboardInterrupt"
    assert not list(tmp_path.glob("*.ended"))
    assert not any(_runs(p.read_text()) for p in tmp_path.glob("*.begun"))


def test_an_error_tells_where_it_was_raised():
    with pytest.raises(ZeroDivisionError) as caught:
        list(map_in_processes(eval, ["1 / 0"], 2))
    assert 'File "<string>", line 1' in caught.value.__notes__[0]


def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT_OF_A_SLEEPER)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE) as parent:
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)  # it lives
        parent.kill()
    _wait_until(lambda: not _runs(pid))


def _wait_until(holds):
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _runs(pid):
    """Say whether a process runs; one that waits to be buried does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_each_worker_has_a_gpu_of_those_that_are_allowed(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    assert visible_gpus() == ["2", "5"]
    given = [share_of_machine(i, 3)["CUDA_VISIBLE_DEVICES"] for i in range(3)]
    assert given == ["2", "5", "2"]
    assert choose_workers(100) == 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert "CUDA_VISIBLE_DEVICES" not in share_of_machine(0, 1)


def test_the_machine_and_the_work_bound_the_workers(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(workers, "usable_cores", lambda: 34)
    assert [choose_workers(n) for n in (1, 4, 5, 1000)] == [1, 1, 2, 8]
    monkeypatch.setattr(workers, "usable_cores", lambda: 2)
    assert choose_workers(1000) == 1


def test_an_address_that_is_none_is_told():
    pytest.importorskip("distributed")
    with pytest.raises(DefectKerasError, match="address of a Dask scheduler"):
        next(map_on_cluster(operator.neg, [1], "nowhere"))


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(DefectKerasError, match=r"defectkeras\[dask\]"):
        next(map_on_cluster(operator.neg, [1], "tcp://127.0.0.1:1"))
