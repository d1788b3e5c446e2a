"""Many tasks at once: in this process, in others of this machine, or on a cluster."""

import contextlib
import math
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, TypeVar

from defectkeras.core.errors import DefectKerasError
from defectkeras.training.interruption import (
    SIGNALS,
    Terminated,
    notice_interrupts,
    raise_at_sigterm,
)

Task = TypeVar("Task")
Result = TypeVar("Result")

CORES_PER_WORKER = 4
"""A network uses about so many cores well; more of them feed a second worker."""

TASKS_PER_WORKER = 4
"""Fewer are done before a second process has started TensorFlow."""


def choose_workers(num_tasks: int) -> int:
    """Give a number of processes for this machine: one per GPU, or per four cores.

    Args:
        num_tasks: Few tasks do not pay for many processes.
    """
    fitting = len(visible_gpus()) or usable_cores() // CORES_PER_WORKER
    return max(1, min(fitting, math.ceil(num_tasks / TASKS_PER_WORKER)))


def usable_cores() -> int:
    """Give the number of cores that this process may use, as SLURM allots them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def visible_gpus() -> list[str]:
    """Give the numbers of the NVIDIA GPUs that this process may use."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name for name in named.split(",") if name not in ("", "-1")]
    found = Path("/dev").glob("nvidia[0-9]*")
    return sorted(path.name.removeprefix("nvidia") for path in found)


def map_in_processes(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Generator[Result]:
    """Give the results of a function as they come, in no particular order.

    The processes are started anew (spawn), since a copy (fork) of a process that runs
    TensorFlow hangs. Cores and GPUs are divided among them. Each is given a task when
    it has done the one before: when the results are not wanted any more, or somebody
    interrupts, what has begun ends and no more begins. A second interruption ends it
    all at once; so it is when this process is killed.

    Args:
        function: Of a module, so that another process finds it.
        tasks: Its arguments.
        workers: Number of processes; with 1 this process does the work.

    Raises:
        DefectKerasError: When a process was killed.
        KeyboardInterrupt: At Ctrl-C and SIGTERM.
    """
    if workers == 1:
        with raise_at_sigterm():
            yield from map(function, tasks)
        return
    waiting = deque(tasks)
    with notice_interrupts("the files that have begun") as is_interrupted:
        with _started_workers(min(workers, len(tasks))) as connections:
            busy = set(connections)
            for connection in connections:
                _give(connection, function, waiting.popleft())
            while busy:
                ready: list[Any] = multiprocessing.connection.wait(busy)
                for connection in ready:
                    yield _take(connection)
                    if waiting and not is_interrupted():
                        _give(connection, function, waiting.popleft())
                    else:
                        busy.remove(connection)
        if number := is_interrupted():
            raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def map_on_cluster(
    function: Callable[[Task], Result], tasks: Sequence[Task], scheduler: str
) -> Generator[Result]:
    """Give the results of a function as they come from the workers of a Dask cluster.

    The tasks of a worker that dies are given to others.

    Args:
        function: Of a module that the workers have.
        tasks: Its arguments; files in them must lie where the workers see them.
        scheduler: Address, such as "tcp://10.0.0.1:8786".

    Raises:
        DefectKerasError: When Dask is not installed, the scheduler does not answer,
            or a task killed every worker that tried it.
    """
    try:
        import distributed
    except ImportError as error:
        raise DefectKerasError(
            "--scheduler needs the package distributed. Install it with: "
            "pip install 'defectkeras[dask]'."
        ) from error
    try:
        client = distributed.Client(scheduler)
    except (OSError, ValueError) as error:
        raise DefectKerasError(
            f"--scheduler must be the address of a Dask scheduler that runs. Received: "
            f"{scheduler} ({error}). Start one with `dask scheduler`."
        ) from error
    with client:
        futures = client.map(function, tasks, pure=False)
        try:
            for future in distributed.as_completed(futures):
                yield future.result()
        except distributed.KilledWorker as error:
            raise DefectKerasError(
                "A worker must not end before its work. Received: a task that no "
                f"worker survived ({error}). Give the workers more memory, and run "
                "the same command again to go on."
            ) from error


@contextlib.contextmanager
def _started_workers(count: int) -> Iterator[list[Connection]]:
    """Start processes that take tasks; in the end wait for what they have begun."""
    context = multiprocessing.get_context("spawn")
    processes: list[SpawnProcess] = []
    connections: list[Connection] = []
    try:
        with _born_deaf():
            for number in range(count):
                here, there = context.Pipe()
                connections.append(here)
                process = context.Process(target=_work, args=(there, number, count))
                process.start()
                processes.append(process)
                there.close()
        yield connections
    except KeyboardInterrupt:
        for process in processes:
            process.kill()
        raise
    finally:
        for connection in connections:
            connection.close()
        try:
            for process in processes:
                process.join()
        finally:
            for process in processes:
                process.kill()  # what still runs when the waiting was interrupted


@contextlib.contextmanager
def _born_deaf() -> Iterator[None]:
    """Let processes that are started meanwhile leave interruptions to this one.

    A terminal and a cluster send them to all processes.
    """
    resource_tracker.ensure_running()  # its own start would take the mask away
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _give(connection: Connection, function: Callable[[Task], Any], task: Task) -> None:
    with _dead_worker_told():
        connection.send((function, task))


def _take(connection: Connection) -> Any:
    with _dead_worker_told():
        result, error = connection.recv()
    if error is not None:
        raise error
    return result


@contextlib.contextmanager
def _dead_worker_told() -> Iterator[None]:
    try:
        yield
    except (EOFError, ConnectionError) as error:
        raise DefectKerasError(
            "A worker process must not end before its work. Received: one that was "
            "killed, as happens when memory runs out. Run the same command again to "
            "go on, with fewer --workers."
        ) from error


def _work(connection: Connection, number: int, workers: int) -> None:
    """Do tasks with a share of the machine, until no more come."""
    os.environ.update(share_of_machine(number, workers))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, ConnectionError):  # nobody wants more
        while True:
            function, task = connection.recv()
            connection.send(_outcome(function, task))


def _outcome(
    function: Callable[[Task], Result], task: Task
) -> tuple[Result | None, Exception | None]:
    try:
        return function(task), None
    except Exception as error:  # noqa: BLE001  (told where the results are wanted)
        error.add_note(traceback.format_exc())  # else it ends at the process
        return None, error


def share_of_machine(number: int, workers: int) -> dict[str, str]:
    """Give the environment in which TensorFlow takes one worker's share.

    Args:
        number: Of the worker, from 0.
        workers: Of all.
    """
    threads = str(max(1, usable_cores() // workers))
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
    share = dict.fromkeys(names, threads)
    if gpus := visible_gpus():
        share["CUDA_VISIBLE_DEVICES"] = gpus[number % len(gpus)]
    return share


def _end_with_parent() -> None:
    """End this process at once when its parent is gone."""
    parent: Any = multiprocessing.parent_process()
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)
