"""The machines of a run: what SLURM says, as TensorFlow wants to hear it.

TensorFlow's own resolver for SLURM gives no TF_CONFIG and reads the process's
environment; this is one pure function.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from defectkeras.core.errors import TrainingError

FIRST_PORT = 12_300
_SLURM = (
    "SLURM_STEP_NODELIST",
    "SLURM_STEP_TASKS_PER_NODE",
    "SLURM_PROCID",
)
_HOSTS = re.compile(r"([^,\[\]]+)(?:\[([^\]]*)\])?([^,\[\]]*)(?:,|$)")
_TASKS = re.compile(r"(\d+)(?:\(x(\d+)\))?")


def cluster_config(environment: Mapping[str, str]) -> dict[str, Any] | None:
    """Give the cluster that this process is one worker of.

    Args:
        environment: TF_CONFIG wins; else the variables that SLURM's `srun` sets,
            one task being one worker.

    Returns:
        As in TF_CONFIG: {"cluster": {"worker": ["host:port", ...]}, "task":
        {"type": "worker", "index": number}}; None where there is one worker only.

    Raises:
        TrainingError: When TF_CONFIG is no JSON, or the variables contradict each
            other.

    Example:
        >>> config = cluster_config({
        ...     "SLURM_STEP_NODELIST": "node[07-08]", "SLURM_PROCID": "1",
        ...     "SLURM_STEP_TASKS_PER_NODE": "1(x2)"})
        >>> config["cluster"]["worker"], config["task"]["index"]
        (['node07:12300', 'node08:12300'], 1)
    """
    if "TF_CONFIG" in environment:
        config = _read(environment["TF_CONFIG"])
    elif all(name in environment for name in _SLURM):
        config = _from_slurm(*(environment[name] for name in _SLURM))
    else:
        return None
    return config if len(config["cluster"]["worker"]) > 1 else None


def _read(text: str) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads(text)
        workers, task = config["cluster"]["worker"], config["task"]
        fits = task["type"] == "worker" and 0 <= task["index"] < len(workers)
    except (ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        raise TrainingError(
            'TF_CONFIG must be JSON like {"cluster": {"worker": ["host:port", ...]}, '
            f'"task": {{"type": "worker", "index": 0}}}}. Received: {text[:200]!r}.'
        )
    return config


def _from_slurm(nodes: str, tasks_per_node: str, rank: str) -> dict[str, Any]:
    hosts, counts = expand_hosts(nodes), expand_counts(tasks_per_node)
    workers = [
        f"{host}:{FIRST_PORT + number}"
        for host, count in zip(hosts, counts, strict=False)
        for number in range(count)
    ]
    if len(hosts) != len(counts) or not rank.isdigit() or int(rank) >= len(workers):
        raise TrainingError(
            "SLURM's variables must tell hosts, tasks per host and the task's number. "
            f"Received: {nodes!r}, {tasks_per_node!r}, {rank!r}."
        )
    task = {"type": "worker", "index": int(rank)}
    return {"cluster": {"worker": workers}, "task": task}


def expand_hosts(text: str) -> list[str]:
    """Give the hosts of SLURM's short form.

    Example:
        >>> expand_hosts("gpu[1,09-10],login")
        ['gpu1', 'gpu09', 'gpu10', 'login']
    """
    hosts = []
    for prefix, ranges, suffix in _HOSTS.findall(text):
        if not ranges:
            hosts.append(prefix)
            continue
        for part in ranges.split(","):
            first, _, last = part.partition("-")
            for number in range(int(first), int(last or first) + 1):
                hosts.append(f"{prefix}{number:0{len(first)}d}{suffix}")
    return hosts


def expand_counts(text: str) -> list[int]:
    """Give the tasks of each host from SLURM's short form.

    Example:
        >>> expand_counts("2(x3),1")
        [2, 2, 2, 1]
    """
    return [
        int(count)
        for count, times in _TASKS.findall(text)
        for _ in range(int(times or 1))
    ]
