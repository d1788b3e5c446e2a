"""How many versions a registry loses when its writers are killed. (None.)

    python benchmarks/registry_kills.py [KILLS]

Writers publish versions of 1.6 MB one after another and are killed at random times,
within those that three versions take on this machine, as busy as it is now;
after each kill every numbered folder must verify, and no version may be lost.
"""

import argparse
import multiprocessing
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from defectkeras.registry.folders import find_versions
from defectkeras.registry.manifest import find_damage

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "registry"))
from writer import publish

FORK = multiprocessing.get_context("fork")  # no time for the start of an interpreter
KEPT = 20  # older versions are removed, so that the disk does not fill


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kills", type=int, nargs="?", default=1_000)
    kills = parser.parse_args().kills
    random = np.random.default_rng(0)
    published, highest, damaged, lost = 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        longest_s = 3 * seconds_to_publish(folder)
        for _ in range(kills):
            before = set(find_versions(folder))
            kill_a_writer(folder, random.uniform(0.0, longest_s))
            after = set(find_versions(folder))
            lost += len(before - after)
            damaged += sum(find_damage(folder / str(v)) != () for v in after - before)
            published += len(after - before)
            highest = max(after, default=0)
            for version in sorted(after)[:-KEPT]:
                shutil.rmtree(folder / str(version))
    print(f"kills                {kills}")
    print(f"versions published   {published}, the highest number {highest}")
    print(f"damaged versions     {damaged}")
    print(f"lost versions        {lost}")


def seconds_to_publish(folder: Path) -> float:
    start = time.monotonic()
    publish(folder)
    return time.monotonic() - start


def publish_for_ever(folder: Path) -> None:
    while True:
        publish(folder)


def kill_a_writer(folder: Path, after_s: float) -> None:
    writer = FORK.Process(target=publish_for_ever, args=(folder,))
    writer.start()
    time.sleep(after_s)
    writer.kill()
    writer.join()


if __name__ == "__main__":
    main()
