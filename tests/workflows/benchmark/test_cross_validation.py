"""A benchmark that can be stopped, and whose terms do not change meanwhile."""

import dataclasses

import pytest

from defectkeras.core.errors import DatasetError, StoppedError
from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.training.config import TrainingConfig
from defectkeras.training.interruption import Terminated
from defectkeras.workflows.benchmark import cross_validation as home
from defectkeras.workflows.benchmark.candidates import Candidate

# FIXME from defectkeras.workflows import benchmark_candidates as home
from defectkeras.workflows.benchmark.cross_validation import (
    Protocol,
    benchmark_candidates,
)

CANDIDATES = (Candidate("method", "a"), Candidate("method", "b"))
PROTOCOL = Protocol(folds=2, steps=7)


@pytest.fixture
def run(synthetic_spec, tmp_path):
    """Give a function that benchmarks into one folder."""
    spec = load_dataset_spec(synthetic_spec)

    def call(protocol=PROTOCOL, candidates=CANDIDATES):
        return benchmark_candidates(
            spec, candidates, protocol, TrainingConfig(), tmp_path / "out"
        )

    return call


def test_a_stopped_benchmark_goes_on(run, monkeypatch):
    """Every candidate has its turn on a fold before the next fold begins."""
    turns, limit = [], 3

    def count(candidate, spec, config, **_):
        if len(turns) == limit:
            folder = _["run_folder"]
            told = f"Go on with: defectkeras train --resume {folder}"
            raise StoppedError(told) from Terminated()
        turns.append((candidate.name, config.seed, config.steps_per_epoch))
        return {"held_out": [e.name for e in spec.of_split("val")]}

    monkeypatch.setattr(home, "run_fold", count)
    match = r"^b: Go on with: the same command$"
    with pytest.raises(StoppedError, match=match) as stopped:
        run()
    assert isinstance(stopped.value.__cause__, Terminated)
    limit = 9
    rows = run()
    assert turns == [("a", 0, 7), ("b", 0, 7), ("a", 1, 7), ("b", 1, 7)]
    assert [(r["key"], r["fold"]) for r in rows] == [
        ("a", 1),
        ("b", 1),
        ("a", 2),
        ("b", 2),
    ]
    assert rows[0]["held_out"] == rows[1]["held_out"] != rows[2]["held_out"]
    other = dataclasses.replace(PROTOCOL, steps=8)
    with pytest.raises(DatasetError, match=r"steps, steps_per_epoch\. Name another"):
        run(other)


@pytest.mark.parametrize("text", ["", "{", "[3]"])
def test_a_damaged_file_is_told(run, monkeypatch, tmp_path, text):
    monkeypatch.setattr(home, "run_fold", lambda *_, **__: {})
    run()
    (tmp_path / "out" / "protocol.json").write_text(text)
    with pytest.raises(DatasetError, match=r"protocol.json must .* Remove it"):
        run()


def test_candidates_that_are_alike_share_one_row(run, monkeypatch):
    """As the same network in the group of architectures and in that of losses."""
    monkeypatch.setattr(home, "run_fold", lambda *_, **__: {})
    alike = (*CANDIDATES, Candidate("loss", "a"))
    assert [(r["key"], r["fold"]) for r in run(candidates=alike)] == [
        ("a", 1),
        ("b", 1),
        ("a", 2),
        ("b", 2),
    ]


def test_nothing_is_chosen_by_a_validation():
    budget = PROTOCOL.budget(TrainingConfig(epochs=9, frozen_epochs=2))
    assert (budget.epochs, budget.steps_per_epoch, budget.frozen_epochs) == (1, 7, 0)
