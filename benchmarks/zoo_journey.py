"""Take every architecture from training to measured defects, as a new user would.

python benchmarks/zoo_journey.py [WORD...]

Each is trained for two steps on small synthetic micrographs, verified in the registry,
used to analyze a micrograph, and evaluated, by the commands alone; so are the methods
without a network. A table tells the seconds of each command. With words, only what has
one of them in its name is taken.
"""

import os
import shlex
import shutil
import sys
import tempfile
import time
from pathlib import Path

from click.testing import CliRunner
from rich.console import Console
from rich.table import Table

from defectkeras.cli.main import main as defectkeras

SMALL = "--set-model encoder=mobilenet_v2 --set-model encoder_alpha=0.35"
HEADS = ("fcn", "psp", "aspp", "cbp")
NETWORKS = {
    "deeplab_v3": f"deeplab_v3 {SMALL} --set-model rates=[1,2]",
    "deeplab_v3_plus": f"deeplab_v3_plus {SMALL} --set-model rates=[1,2]",
    "defectsegnet": "defectsegnet",
    "encoder_unet": f"encoder_unet {SMALL}",
    **{
        f"fast_fcn-{head}": f"fast_fcn {SMALL} --set-model head={head} "
        "--set-model pyramid_filters=32"
        for head in HEADS
    },
    **{
        f"fcn-{v}": f"fcn --set-model filters=4 --set-model variant={v}"
        for v in ("32s", "16s", "8s")
    },
    "patch_classifier": "patch_classifier --set-model patch_size=21",
    "segnet": "segnet --set-model filters=4",
    "segnet_basic": "segnet_basic --set-model filters=4",
    "segnet-bayesian": "segnet --set-model filters=4 --set-model bayesian=true",
    "unet": "unet --set-model filters=4",
}
"""Name in the registry to --architecture and what makes it small."""

SPEC = "set/dataset.toml"
FOREST = "forest.skops"
METHODS = ("otsu", "local_threshold", "ridges", "blobs", "watershed")
BRIEF = (
    "--epochs 1 --steps-per-epoch 2 --batch-size 2 --patch-size 64 "
    "--precision float32 --set warmup_epochs=0"
)


def run(words: str) -> str:
    """Run a command; give its seconds, or end with what it said."""
    started = time.perf_counter()
    done = CliRunner().invoke(defectkeras, shlex.split(words))
    if done.exit_code:
        raise SystemExit(f"defectkeras {words}\n{done.output}{done.exception!r}")
    return f"{time.perf_counter() - started:.0f}"


def walk(name: str) -> list[str]:
    """Give the seconds of each command with a network or a method."""
    if name in NETWORKS:
        known, spread = f"--model {name}", ""
        if "bayesian" in name:
            spread = "--spread dropout"
        words = f"train {SPEC} --name {name} --run-folder runs/{name} {BRIEF}"
        made = run(f"{words} --architecture {NETWORKS[name]}")
        verified = run(f"registry verify {name}")
    elif name == FOREST:
        known, spread, verified = f"--method {name}", "", ""
        made = run(f"forest {SPEC} --out {name}")
    else:
        known, spread, made, verified = f"--method {name}", "", "", ""
    return [
        made,
        verified,
        run(f"analyze one.tif {known} {spread} --out results/{name}"),
        # methods that know one class cannot be compared with a set of three
        "" if name in METHODS else run(f"evaluate {SPEC} {known} --split val"),
    ]


def main() -> None:
    """Print the table."""
    table = Table("", "train, s", "verify, s", "analyze, s", "evaluate, s")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        run("data synthesize set --count 4 --rows 96 --columns 128 --val-fraction 0.25")
        shutil.copy(min(Path("set/micrographs").iterdir()), "one.tif")
        for name in (*NETWORKS, *METHODS, FOREST):
            if not sys.argv[1:] or any(word in name for word in sys.argv[1:]):
                table.add_row(name, *walk(name))
                print(f"{name} works", flush=True)
    Console(width=80).print(table)


if __name__ == "__main__":
    main()
