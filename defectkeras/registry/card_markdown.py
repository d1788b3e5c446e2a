"""The model card as a page in Markdown, for people."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from defectkeras.core.symmetries import Symmetries
from defectkeras.registry.card import ModelCard

TOLD = ("made_by", "parity")  # of a conversion's record

_VIEWS: Mapping[Symmetries, str] = {
    "none": "one",
    "left-right": "mean over two, mirrored left to right",
    "square": "mean over eight",
}


def card_markdown(
    card: ModelCard,
    conversions: Mapping[str, Mapping[str, Any]] | None = None,
    decisions: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """Give the card as Markdown text.

    Lists and tables in a table are flattened, so that a metric of a class is found
    under "iou / void".

    Args:
        card: Any model card.
        conversions: Form to record, see `conversions_of`; made after the card.
        decisions: File name to record, see `decisions_on`; likewise.
    """
    lines = [*_head(card), *_origin(card), *_sections(card)]
    if conversions:
        told = {
            form: {key: record[key] for key in TOLD if key in record}
            for form, record in conversions.items()
        }
        lines += ["## Conversions", "", *_table(("what", "value"), _flatten(told))]
    for name, record in (decisions or {}).items():
        lines += _decision(name, record)
    return "\n".join(lines) + "\n"


def _head(card: ModelCard) -> list[str]:
    sizes = card.pixel_size_range_nm
    facts = {
        "architecture": card.architecture,
        "stride": f"{card.stride} px",
        "receptive field": "the whole tile"
        if card.receptive_field_px is None
        else f"{card.receptive_field_px} px",
        "pixel size": "not known"
        if sizes is None
        else f"{sizes[0]:g} to {sizes[1]:g} nm",
        "grey levels": f"percentile {card.low_percent:g} becomes 0, "
        f"{card.high_percent:g} becomes 1",
        "views": _VIEWS[card.views()],
        "license": card.license,
        "created": card.created,
    }
    classes = [
        (c.index, c.name, c.kind, card.thresholds.get(c.name, "most probable"))
        for c in card.scheme.classes
    ]
    return [
        f"# {card.name}",
        "",
        card.description,
        "",
        *_table(("fact", "value"), facts.items()),
        *_table(("index", "class", "kind", "threshold"), classes),
        "## Intended use",
        "",
        card.intended_use,
        "",
        "## Limits",
        "",
        card.limits,
        "",
        *_applicability(card),
    ]


def _applicability(card: ModelCard) -> list[str]:
    """Tell from how many micrographs it is known where the model applies."""
    if not card.applicability:
        return ["No statistics of the training micrographs: it cannot warn.", ""]
    return _table(
        ("compared with the training micrographs", "limit of the distance", "from"),
        [
            (kind, reference["limit"], _left_out(reference["left_out"]))
            for kind, reference in card.applicability.items()
        ],
    )


def _left_out(count: int) -> str:
    if count == 1:
        return "quarters of one, which cannot tell how micrographs differ"
    return f"{count} left out in turn"


def _origin(card: ModelCard) -> list[str]:
    return [
        "## Data",
        "",
        f"{card.dataset_name} (`{card.dataset_fingerprint}`)",
        "",
        card.attribution,
        "",
        *([] if card.parent is None else [f"Trained from {card.parent}.", ""]),
    ]


def _sections(card: ModelCard) -> Iterator[str]:
    for title, table in (
        ("Metrics", card.metrics),
        ("Split", card.split),
        ("Arguments of the architecture", card.arguments),
        ("Training config", card.config),
        ("Environment", card.environment),
    ):
        yield f"## {title}"
        yield ""
        yield from _table(("what", "value"), _flatten(table))


def _decision(name: str, record: Mapping[str, Any]) -> list[str]:
    """Tell how the gate decided, against which version, and by which figures."""
    word = "passed" if record["passed"] else "refused"
    current = [sheet["reference"] for sheet in record["score_sheets"][1:]]
    against = f", against {current[0]}" if current else ""
    rows = [
        (c["rule"], c["limit"], c["candidate"], "yes" if c["holds"] else "no")
        for c in record["checks"]
    ]
    return [
        f"## Gate to {record['alias']}: {word}",
        "",
        f"{record['when']}, on the {record['split']} split of {record['dataset']}"
        f"{against} (gates/{name})",
        "",
        *_table(("rule", "limit", "candidate", "holds"), rows),
    ]


def _table(head: tuple[str, ...], rows: Any) -> list[str]:
    lines = [head, ("---",) * len(head), *rows]
    return [*(f"| {' | '.join(_cell(c) for c in line)} |" for line in lines), ""]


def _flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give the leaves of nested tables, with their keys joined by " / ".

    Of a list of tables, such as that of the folds, each key has a list of values.
    """
    for key, entry in value.items():
        name = f"{prefix} / {key}" if prefix else str(key)
        if isinstance(entry, Mapping):
            yield from _flatten(entry, name)
        elif entry and isinstance(entry, list) and isinstance(entry[0], Mapping):
            keys = dict.fromkeys(key for table in entry for key in table)
            yield from _flatten({k: [t.get(k) for t in entry] for k in keys}, name)
        else:
            yield name, entry


def _cell(value: Any) -> str:
    """Give a value as the text of a table's cell, on one line."""
    text = value_text(value)
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def value_text(value: Any) -> str:
    """Write a value of a card as a person would: six digits, and "none" for None.

    Example:
        >>> value_text([0.5599999999999999, 2.0]), value_text(None)
        ('[0.56, 2.0]', 'none')
    """
    if value is None or isinstance(value, str):
        return value or "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    rounded = json.loads(
        json.dumps(value), parse_float=lambda digits: float(f"{float(digits):.6g}")
    )
    return json.dumps(rounded, ensure_ascii=False)
