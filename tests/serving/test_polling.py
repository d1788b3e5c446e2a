"""TensorFlow Serving's polling of a folder, emulated while publishers are killed.

What the server would load must always verify.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from defectkeras.registry.folders import find_collisions, find_versions
from defectkeras.registry.manifest import find_damage
from defectkeras.registry.names import parse_served_version

WRITER = Path(__file__).parents[1] / "registry" / "writer.py"


def served(folder):
    """Give what the server would take: each child that `SimpleAtoi` reads as a number,
    without a look inside."""
    found = {}
    for child in folder.iterdir():
        number = parse_served_version(child.name)
        if number is not None:
            found[number] = child
    return found


def test_other_spellings_of_a_number_are_seen(tmp_path):
    for name in ("3", "003", " +3", "4.tmp", ".staging-7", "v5", "-1"):
        (tmp_path / name).mkdir()
    assert set(served(tmp_path)) == {3, -1}
    assert len(find_collisions(tmp_path, 3)) == 2


@pytest.mark.slow
def test_the_server_never_sees_half_a_version(tmp_path):
    random = np.random.default_rng(3)
    looked_at, looks = set(), 0
    for _ in range(12):
        command = [sys.executable, str(WRITER), str(tmp_path), "1000"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            writer.stdout.readline()  # it is ready
            end = time.monotonic() + random.uniform(0.05, 0.4)
            while time.monotonic() < end:
                looks += 1
                for number, child in served(tmp_path).items():
                    if number not in looked_at:
                        assert find_damage(child) == ()
                        looked_at.add(number)
            writer.kill()
    for number, child in served(tmp_path).items():
        assert find_damage(child) == ()
        looked_at.add(number)
    assert set(find_versions(tmp_path)) == looked_at
    assert looks > 12
