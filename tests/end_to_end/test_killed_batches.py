"""Batches that are killed and go on give the tables of one that was not disturbed."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.workflows.analysis.plan import BatchSettings
from defectkeras.workflows.analyze import analyze

KILL_AFTER = (3, 1)
"""New folders, whole or begun, after which a run is killed."""


@pytest.fixture(scope="module")
def folder(synthetic_spec) -> Path:
    return load_dataset_spec(synthetic_spec).root / "micrographs"


@pytest.fixture
def undisturbed(folder, tiny_registry, tmp_path, no_figures) -> dict[str, bytes]:
    output = tmp_path / "undisturbed"
    analyze([folder], "tiny", output_folder=output, registry_root=tiny_registry)
    return tables(output)


def tables(output: Path) -> dict[str, bytes]:
    """Give every table, over all and of each micrograph."""
    found = [
        p for kind in ("csv", "parquet", "xlsx") for p in output.rglob(f"*.{kind}")
    ]
    whole = [p for p in found if not p.relative_to(output).parts[0].startswith(".")]
    assert len(whole) == 12 + 4 * 19
    return {str(p.relative_to(output)): p.read_bytes() for p in whole}


@pytest.mark.slow
def test_killed_at_random_and_started_again(folder, tmp_path):
    output = tmp_path / "out"
    plain = [sys.executable, "-m", "defectkeras", "analyze", folder]
    plain += ["--method", "otsu", "--workers", "2"]
    command = [*plain, "--out", output]
    chance = random.Random(0)
    for number in KILL_AFTER:
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            before = entries(output)
            while process.poll() is None:
                if len(entries(output) - before) >= number:
                    break
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.5))
            process.kill()
        for entry in output.iterdir():
            if entry.is_dir() and not entry.name.startswith("."):
                assert (entry / "summary.json").exists()
    again = [*plain, "--out", tmp_path / "undisturbed"]
    for words in (command, again):
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    assert tables(output) == tables(tmp_path / "undisturbed")


def entries(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()} if folder.exists() else set()


@pytest.mark.slow
def test_a_worker_of_a_cluster_is_killed(folder, tiny_registry, undisturbed, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        victim = min(client.run(os.getpid).values())

        def kill_one(done: int, _total: int) -> None:
            if done == 1:
                os.kill(victim, signal.SIGKILL)

        analyze(
            [folder],
            "tiny",
            output_folder=tmp_path / "out",
            registry_root=tiny_registry,
            batch=BatchSettings(scheduler=cluster.scheduler_address),
            on_progress=kill_one,
        )
    assert tables(tmp_path / "out") == undisturbed
