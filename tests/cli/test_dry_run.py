"""Whatever has --dry-run and --json tells by both, as JSON, what it would do."""

import json
import shutil
from collections.abc import Iterator

import click
import numpy as np
import pytest

from defectkeras.cli.main import main
from defectkeras.registry.archive import export_archive
from defectkeras.registry.store import ModelRegistry

REGISTRY = ("--registry", "{registry}")
CLASSES = ("--class", "dislocation:line", "--class", "precipitate", "--class", "void")
COMMANDS = {
    "analyze": ("{fields}", "--model", "tiny", "--out", "{new}", *REGISTRY),
    "annotations convert": ("{maps}", "{new}", "--to", "labelme", *CLASSES),
    "benchmark candidates": ("{spec}", "--out", "{new}", "--folds", "2"),
    "compare": ("a={maps}", "b={maps}", *CLASSES),
    "data describe": ("{spec}",),
    "data init": ("{set}", "--overwrite", *CLASSES),
    "data synthesize": ("{new}", "--count", "2"),
    "deploy tf-serving": ("--out", "{new}", *REGISTRY),
    "evaluate": ("{spec}", "--model", "tiny", "--split", "val", *REGISTRY),
    "finetune": ("tiny", "{spec}", *REGISTRY),
    "forest": ("{spec}", "--out", "{new}.skops"),
    "plan": ("{spec}", "--memory-gib", "8"),
    "pretrain": ("{fields}", "--out", "{new}.keras"),
    "quantify": (
        "{map}",
        "--class",
        "void",
    ),
    "registry alias": ("tiny", "best", *REGISTRY),
    "registry convert": ("tiny", "--to", "onnx", *REGISTRY),
    "registry export": ("tiny", "{new}", *REGISTRY),
    "registry import": ("{archive}", *REGISTRY),
    "registry promote": ("tiny", *REGISTRY),
    "registry rollback": ("tiny", *REGISTRY),
    "registry tag": ("tiny", "keep", *REGISTRY),
    "serve": REGISTRY,
    "train": ("{spec}", "--architecture", "patch_classifier", "--patch-size", "64"),
}


def with_both(command: click.Command, path: str = "") -> Iterator[str]:
    if isinstance(command, click.Group):
        ctx = click.Context(command)
        for name in command.list_commands(ctx):
            below = command.get_command(ctx, name)
            yield from with_both(below, f"{path} {name}".strip())
    elif {"dry_run", "as_json"} <= {param.name for param in command.params}:
        yield path


def test_all_of_them_are_asked_here():
    assert sorted(with_both(main)) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_json_tells_what_would_be_done(run, command, places):
    words = [word.format(**places) for word in COMMANDS[command]]
    before = sorted(places["folder"].rglob("*"))
    done = run(*command.split(), *words, "--dry-run", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)
    assert sorted(places["folder"].rglob("*")) == before


@pytest.fixture(scope="module")
def places(tiny_registry, synthetic_spec, tmp_path_factory):
    """Tell what the words above stand for; nothing is to be written there."""
    folder = tmp_path_factory.mktemp("dry")
    root = shutil.copytree(tiny_registry, folder / "registry")
    shutil.copytree(root / "tiny" / "1", root / "tiny" / "2")
    registry, archive = ModelRegistry(root), folder / "tiny.tar.gz"
    export_archive(registry.resolve("tiny@1"), archive)
    for version in (1, 2):
        registry.set_alias("tiny", "production", version)
    np.save(folder / "map.npy", np.eye(30, 40, dtype=np.uint8))
    return {
        "folder": folder,
        "registry": root,
        "archive": archive,
        "spec": synthetic_spec,
        "set": synthetic_spec.parent,
        "fields": synthetic_spec.parent / "micrographs",
        "maps": synthetic_spec.parent / "annotations",
        "map": folder / "map.npy",
        "new": folder / "new",
    }
