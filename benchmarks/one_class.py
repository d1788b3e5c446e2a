"""Keep one class of a set, the others become matrix, to see what a thin class needs.

    python benchmarks/one_class.py data_specs/cracks-ebc.toml crack FOLDER --root IMAGES
    defectkeras benchmark FOLDER/dataset.toml --losses "ce, 0.5*ce + 0.5*dice" ...

Scores are means over the defect classes: beside a class that fills the picture a thin
one is lost in them.
"""

import argparse
import dataclasses
import shutil
from pathlib import Path

from rich.progress import track

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.files import write_whole
from defectkeras.datasets.form import read_form
from defectkeras.datasets.spec import load_dataset_spec, load_example
from defectkeras.datasets.write import to_toml
from defectkeras.micrographs.annotations import write_class_map


def main() -> None:
    """Copy the micrographs, write the class maps and the data spec."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("spec", type=Path)
    parser.add_argument("class_name", metavar="class")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--root", type=Path)
    arguments = parser.parse_args()
    spec = load_dataset_spec(arguments.spec, root=arguments.root)
    kept = next(c for c in spec.scheme.defects if c.name == arguments.class_name)
    for part in ("images", "masks"):
        (arguments.folder / part).mkdir(parents=True)
    for example in track(spec.examples, "keeping one class"):
        path = example.micrograph_path
        shutil.copy(path, arguments.folder / "images" / path.name)
        class_map = load_example(example, spec.scheme).class_map
        others = (class_map != kept.index) & (class_map != NOT_ANNOTATED)
        class_map[others], class_map[class_map == kept.index] = 0, 1
        write_class_map(class_map, arguments.folder / "masks" / f"{path.stem}.png")
    form = read_form(arguments.spec)
    (source,) = form.sources
    source = dataclasses.replace(
        source,
        micrographs=f"images/*{path.suffix}",
        annotations="masks/{stem}.png",
        encoding="class_index",
    )
    alone = dataclasses.replace(
        form,
        name=f"{form.name}-{kept.name}",
        description=f"{form.description} The class {kept.name} alone.",
        root=".",
        classes=(spec.scheme.classes[0], dataclasses.replace(kept, index=1)),
        sources=(source,),
        fingerprint=None,
    )
    write_whole(arguments.folder / "dataset.toml", to_toml(alone))
    print(arguments.folder / "dataset.toml")


if __name__ == "__main__":
    main()
