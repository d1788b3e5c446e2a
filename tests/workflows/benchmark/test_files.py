"""The tables of a benchmark can be read again."""

import pandas as pd

from defectkeras.workflows.benchmark.candidates import Candidate
from defectkeras.workflows.benchmark.files import write_benchmark
from defectkeras.workflows.benchmark.scores import (
    FIXED_COSTS,
    MEAN_COSTS,
    SCORES,
    TIMES,
    summarize,
)


def test_tables_and_figures_are_written(tmp_path):
    values = dict.fromkeys((*SCORES, *FIXED_COSTS, *MEAN_COSTS, *TIMES), 0.5)
    rows = [{"key": "otsu", "fold": k, **values, "micrographs": ["a"]} for k in (1, 2)]
    table = summarize(rows, [Candidate("method", "otsu")])
    files = write_benchmark(table, rows, tmp_path)
    assert min(file.stat().st_size for file in files) > 0
    assert pd.read_csv(tmp_path / "benchmark.csv")["iou"].tolist() == [0.5]
    assert pd.read_csv(tmp_path / "folds.csv")["fold"].tolist() == [1, 2]
