"""What one, two, four or ten annotated fields of a new material buy.

    python benchmarks/few_shot.py --model dci-stem --spec SPEC --root FOLDER
    python benchmarks/few_shot.py ... --fields 1 2 4 10 --draws 5
    python benchmarks/few_shot.py ... --start imagenet

For each number of fields some draws of the training split: the model is finetuned on
them alone, and evaluated on the validation split of SPEC, which no draw has seen.
Printed are mean and standard deviation over the draws. The row of 0 fields is the model
as it is, in the classes of SPEC that it knows by name. With --start imagenet the same
network begins with an encoder pretrained on ImageNet instead of the weights of
the model, and learns at an ordinary rate: the difference is what the model buys.

Each draw is kept in --work, and the same command goes on where it was stopped. A draw
takes minutes on two CPU cores; --set KEY=VALUE makes it shorter.
"""

import argparse
import json
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from defectkeras.core.files import write_json, write_whole
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.form import SplitForm, read_form
from defectkeras.datasets.spec import DatasetSpec, load_dataset_spec
from defectkeras.datasets.write import to_toml
from defectkeras.registry.store import ModelRegistry, ModelVersion
from defectkeras.training.settings import nest
from defectkeras.training.train import TrainingRun
from defectkeras.workflows.evaluate import evaluate_split
from defectkeras.workflows.finetune import FinetuneRequest, finetune, plan_finetuning
from defectkeras.workflows.own_fields import split_in_space
from defectkeras.workflows.segment import (
    Segmentation,
    SegmentSettings,
    load_segmenter,
    segment,
)
from defectkeras.workflows.train import TrainingRequest, train

AREA, DENSITY = "area_fraction_percent", "areal_density"
COLUMNS = {
    "mean_defect_iou": "mean IoU of the defects",
    "micro_iou": "micro IoU of all classes",
    "density_error_percent": "error of density %",
    "area_error_percent": "error of area %",
}
FROM_IMAGENET = {
    "learning_rate": 1e-3,
    "encoder_rate_factor": 1.0,
    "model.encoder_weights": "imagenet",
}


def draw_spec(spec_path: Path, root: Path, names: Sequence[str], path: Path) -> Path:
    """Write a data spec that trains on some fields and has no validation split."""
    form = read_form(spec_path)
    others = [
        e.name
        for e in load_dataset_spec(spec_path, root=root).examples
        if e.name not in names
    ]
    unused = (*others, *form.split.unused)
    split = SplitForm(train=tuple(names), unused=unused)
    form = replace(form, split=split, root=str(root.resolve()), fingerprint=None)
    write_whole(path, to_toml(form))
    return path


def scores(model: str, registry: Path, spec: DatasetSpec) -> dict[str, float]:
    """Give IoUs and errors of density and area fraction on the validation split.

    Classes that the set does not have count as its matrix. The micro IoU pools the
    pixels of all classes, the matrix among them.
    """
    segmenter = load_segmenter(model, registry)
    known = [c.name for c in spec.scheme.classes]
    to_index = np.array(
        [
            known.index(c.name) if c.name in known else 0
            for c in segmenter.scheme.classes
        ]
    )
    mix = np.eye(len(known), dtype=np.float32)[to_index]

    def segment_in_classes(micrograph: Micrograph) -> Segmentation:
        found = segment(segmenter, micrograph, SegmentSettings())
        return replace(
            found,
            class_map=to_index[found.class_map],
            prediction=replace(
                found.prediction,
                probability_map=found.prediction.probability_map @ mix,
            ),
        )

    found = evaluate_split(
        segment_in_classes,
        spec,
        split="val",
        model=model,
        sha256=segmenter.sha256,
        tolerance_px=2.0,
    ).to_dict()
    return {
        "mean_defect_iou": found["pixels_pooled"]["mean_defect_iou"],
        "micro_iou": found["pixels_pooled"]["micro_iou"],
        "density_error_percent": mean_error(found["quantities"], DENSITY),
        "area_error_percent": mean_error(found["quantities"], AREA),
    }


def mean_error(quantities: Sequence[dict[str, Any]], name: str) -> float:
    """Give the mean absolute error of a quantity over the classes, in percent."""
    errors = [
        q["mean_absolute_error_percent"]
        for q in quantities
        if q["name"].startswith(name) and q["mean_absolute_error_percent"] is not None
    ]
    return float(np.mean(errors))


def run_draw(
    arguments: argparse.Namespace, names: Sequence[str], folder: Path, seed: int
) -> dict[str, float]:
    """Finetune on some fields and evaluate, unless that is done."""
    result = folder / "scores.json"
    if result.exists():
        return dict(json.loads(result.read_text()))
    spec = draw_spec(arguments.spec, arguments.root, names, folder / "draw.toml")
    settings: dict[str, Any] = {"seed": seed, **dict(map(read_setting, arguments.set))}
    if arguments.start == "imagenet":
        settings = {**FROM_IMAGENET, **settings}
    request = FinetuneRequest(
        arguments.model,
        spec,
        name="few-shot",
        registry_root=arguments.registry,
        run_folder=folder / f"run-{len(list(folder.glob('run-*')))}",
        settings={"flag": nest(settings)},
    )
    learn = train_from_imagenet if arguments.start == "imagenet" else finetune
    version, _ = learn(request)
    if version is None:
        raise RuntimeError("The few-shot benchmark runs on one machine.")
    whole = load_dataset_spec(arguments.spec, root=arguments.root)
    found = scores(version.reference, arguments.registry, whole)
    write_json(result, {**found, "fields": list(names)})
    return found


def train_from_imagenet(
    request: FinetuneRequest,
) -> tuple[ModelVersion | None, TrainingRun]:
    """Train the network of a version on the same fields, without its weights."""
    plan = plan_finetuning(request)
    fields = split_in_space(plan.spec, Path(f"{request.run_folder}-fields"))
    return train(
        TrainingRequest(
            fields,
            architecture=plan.settings.architecture,
            arguments=plan.settings.arguments,
            name=plan.name,
            registry_root=request.registry_root,
            run_folder=request.run_folder,
        ),
        plan.settings.config,
    )


def read_setting(text: str) -> tuple[str, Any]:
    """Turn KEY=VALUE into both; a value is TOML or plain text."""
    key, _, value = text.partition("=")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value


def main() -> None:
    """Draw, finetune, evaluate, and print the learning curve."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--spec", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True, help="folder of its files")
    parser.add_argument("--start", choices=("model", "imagenet"), default="model")
    parser.add_argument("--fields", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--registry", type=Path, default=Path("saved_models"))
    parser.add_argument("--work", type=Path, default=Path("runs/few_shot"))
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    arguments.registry = copy_of(arguments.model, arguments.registry, arguments.work)
    spec = load_dataset_spec(arguments.spec, root=arguments.root)
    work = arguments.work / f"{spec.name}-from-{arguments.start}"
    training = [e.name for e in spec.of_split("train")]
    table = Table("fields", "draws", *COLUMNS.values())
    card = ModelRegistry(arguments.registry).resolve(arguments.model).card
    shared = {c.name for c in card.scheme.defects} & {
        c.name for c in spec.scheme.defects
    }
    if shared and arguments.start == "model":
        before = scores(arguments.model, arguments.registry, spec)
        table.add_row("0", "", *(f"{value:.3f}" for value in before.values()))
    for count in arguments.fields:
        rng = np.random.default_rng(count)
        found = []
        for draw in range(arguments.draws):
            names = sorted(rng.choice(training, count, replace=False).tolist())
            folder = work / f"{count}-fields-{draw}"
            found.append(run_draw(arguments, names, folder, draw))
        cells = []
        for key in COLUMNS:
            values = [draw_scores[key] for draw_scores in found]
            spread = f" +- {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.3f}{spread}")
        table.add_row(str(count), str(len(found)), *cells)
    Console().print(table)


def copy_of(model: str, registry: Path, work: Path) -> Path:
    """Give a registry of its own with a model in it, so that the other one stays."""
    name = model.partition("@")[0]
    if not (work / "registry" / name).exists():
        shutil.copytree(registry / name, work / "registry" / name)
    return work / "registry"


if __name__ == "__main__":
    main()
