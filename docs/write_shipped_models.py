"""Write the table of docs/shipped_models.md from the cards in saved_models/.

python docs/write_shipped_models.py     # make docs does it, too
"""

import re
from pathlib import Path

from defectkeras.registry.card import ModelCard
from defectkeras.registry.store import ModelRegistry

DOCS = Path(__file__).parent
PAGE = DOCS / "shipped_models.md"
HEAD = ("model", "architecture", "learned from", "IoU of each class", "mean of them")


def fill(page: str) -> str:
    """Put the table between its two comments."""
    registry = ModelRegistry(DOCS.parent / "saved_models")
    lines = [_line(*HEAD), _line(*["---"] * 4, "--:")]
    for name in registry.names():
        version = registry.resolve(name)
        lines.append(_line(f"`{version.reference}`", *_cells(version.card)))
    table = "\n".join(lines)
    pattern = r"(<!-- models -->\n).*?(<!-- end -->)"
    return re.sub(pattern, lambda m: f"{m[1]}{table}\n{m[2]}", page, flags=re.DOTALL)


def _cells(card: ModelCard) -> tuple[str, ...]:
    scores = card.metrics["scores"]
    each = [f"{c.name} {scores[f'val_iou_{c.name}']:.3f}" for c in card.scheme.defects]
    count = len(card.split["train"])
    source = f"{card.dataset_name}: {count} micrograph{'s' if count > 1 else ''}"
    parent = f", after {card.parent}" if card.parent else ""
    mean = f"{scores['val_mean_defect_iou']:.3f}"
    return card.architecture, source + parent, ", ".join(each), mean


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
