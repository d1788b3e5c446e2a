"""The benchmark of load and faults, in short."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "serving_load.py"


@pytest.mark.slow
def test_nothing_is_lost_under_load_and_a_kill():
    command = [sys.executable, str(BENCHMARK), "300", "6"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr[-3000:]
    assert "lost                 0" in ran.stdout
    assert "answered wrongly     0" in ran.stdout
