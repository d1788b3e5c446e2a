"""Does each model know the micrographs that it was not made for?

    python benchmarks/applicability.py --data FOLDER
    python benchmarks/applicability.py --data FOLDER --models loops --most 4
    python benchmarks/applicability.py --data FOLDER --without-models

Each version is asked about the micrographs of each open set as `analyze` asks it, with
eight views where its card wants them. Of its own set these are the validation split,
whose looks its statistics know: a warning there would be false, silence proves little.
FOLDER holds the sets in folders named as in `SETS`. Printed are the median score (above
1 is a warning), how many micrographs are warned of, and what differs most. Of a set at
most --most micrographs are looked at, evenly, and of each the middle `MOST_PX` rows and
columns, for it takes as long as analyzing them.

Without models, grey levels and texture alone are learned from a random half of each
set and two more, and the rest and the other sets compared, `DRAWS` times over.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import (
    Example,
    load_dataset_spec,
    load_micrograph,
)
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.prediction.applicability import (
    Described,
    compare,
    describe_image,
    fit_reference,
)
from defectkeras.registry.store import ModelRegistry
from defectkeras.workflows.segment import (
    Segmenter,
    SegmentSettings,
    load_segmenter,
    segment,
)

DATA_SPECS = Path(__file__).parents[1] / "data_specs"
SETS = {
    "precipitates-cr": "precipitates_cr",
    "precipitates-ni": "precipitates_ni",
    "cracks-ebc": "cracks_ebc",
    "loops-316l": "loops_316l",
    "loops-ti-a": "loops_ti",
}
DRAWS = 30
MOST_PX = 1024


def examples_for(segmenter: Segmenter, name: str, root: Path) -> list[Example]:
    """Give the micrographs of a set that a model has not learned from."""
    spec = load_dataset_spec(DATA_SPECS / f"{name}.toml", root=root / SETS[name])
    own = spec.name == segmenter.card.dataset_name
    learned = segmenter.card.learned_from() if own else frozenset()
    return [e for e in spec.examples if e.name not in learned]


def ask(segmenter: Segmenter, examples: Sequence[Example]) -> list[str]:
    """Give median score, how many are warned of, and what differs most, as text."""
    if not examples:
        return ["", "", "it has learned from all"]
    found = [
        segment(segmenter, cut_middle(load_micrograph(e)), SegmentSettings())
        for e in examples
    ]
    known = [f.applicability for f in found if f.applicability is not None]
    if not known:
        return ["", "", "the card has no statistics"]
    most = Counter(max(a.ratios, key=lambda kind: a.ratios[kind]) for a in known)
    scores = np.array([a.score for a in known])
    return [
        f"{np.median(scores):.2f}",
        f"{np.sum(scores > 1)} of {len(scores)}",
        most.most_common(1)[0][0],
    ]


def cut_middle(micrograph: Micrograph) -> Micrograph:
    """Give at most `MOST_PX` rows and columns."""
    rows, columns = (
        slice(margin := max(0, size - MOST_PX) // 2, margin + MOST_PX)
        for size in micrograph.shape
    )
    return replace(micrograph, pixels=micrograph.pixels[rows, columns])


def compare_looks(root: Path) -> Table:
    """Compare the sets with each other by grey levels and texture."""
    looks: dict[str, list[Described]] = {}
    for name, folder in SETS.items():
        spec = load_dataset_spec(DATA_SPECS / f"{name}.toml", root=root / folder)
        micrographs = [load_micrograph(e) for e in spec.examples]
        looks[name] = [
            describe_image(normalize_percentile(m.pixels)) for m in micrographs
        ]
    table = Table(
        "learned from", "rest of the set", *SETS, title="Warned of, in percent"
    )
    rng = np.random.default_rng(0)
    for name, own in looks.items():
        if len(own) < 8:  # a half would be too few
            continue
        warned: dict[str, list[bool]] = {key: [] for key in ("rest", *SETS)}
        for _ in range(DRAWS):
            order = rng.permutation(len(own))
            learned = [own[i] for i in order[: len(own) // 2 + 2]]
            references = {
                kind: fit_reference([described[kind] for described in learned])
                for kind in learned[0]
            }
            rest = [own[i] for i in order[len(learned) :]]
            for key, others in {**looks, "rest": rest}.items():
                found = [compare(described, references) for described in others]
                warned[key] += [f is not None and f.score > 1 for f in found]
        cells = {k: f"{100 * np.mean(v):.0f}" for k, v in warned.items()} | {name: ""}
        table.add_row(name, cells["rest"], *(cells[key] for key in SETS))
    return table


def main() -> None:
    """Ask every model about every set, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the sets")
    parser.add_argument("--models", nargs="*", help="all by default")
    parser.add_argument("--registry", type=Path, default=Path("saved_models"))
    parser.add_argument("--most", type=int, default=8, help="micrographs per set")
    parser.add_argument("--without-models", action="store_true")
    arguments = parser.parse_args()
    if arguments.without_models:
        Console(width=110).print(compare_looks(arguments.data))
        return
    table = Table("model", "set", "score", "warned of", "most in")
    for name in arguments.models or ModelRegistry(arguments.registry).names():
        segmenter = load_segmenter(name, arguments.registry)
        for dataset in SETS:
            examples = examples_for(segmenter, dataset, arguments.data)
            chosen = examples[:: -(-len(examples) // arguments.most) or 1]
            own = dataset.startswith(segmenter.card.dataset_name)  # loops: both
            told = ask(segmenter, chosen)
            table.add_row(name, f"{dataset}{' (own)' if own else ''}", *told)
            print(name, dataset, *told, sep=", ", file=sys.stderr)  # it takes long
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
