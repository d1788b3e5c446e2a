"""The folder of an evaluation."""

import json
import xml.etree.ElementTree as ET

import pandas as pd

from defectkeras.workflows.evaluate import evaluate
from defectkeras.workflows.evaluation.files import write_evaluation


def test_folder_is_complete(synthetic_spec, tiny_registry, tmp_path):
    evaluation = evaluate(
        "tiny", synthetic_spec, split="train", registry_root=tiny_registry
    )
    files = write_evaluation(evaluation, tmp_path / "out")
    assert sorted(f.name for f in files) == [
        "evaluation.json",
        "quantities.csv",
        "reliability.csv",
        "reliability.svg",
        "scores.csv",
        "sizes.csv",
        "sizes_2_precipitate_nm.svg",
        "sizes_3_void_nm.svg",
    ]
    told = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert told == evaluation.to_dict()
    scores = pd.read_csv(tmp_path / "out" / "scores.csv")
    assert len(scores) == 4 * (3 + 1)
    for file in files:
        if file.suffix == ".svg":
            ET.parse(file)
