"""What this computer has, complete and ready for JSON."""

import json

from defectkeras.workflows.doctor import examine


def test_facts_are_complete(tiny_registry, tmp_path):
    facts = examine(tiny_registry)
    json.dumps(facts, allow_nan=False)
    assert facts["registry"]["models"] == ["tiny"]
    assert facts["registry"]["writable"]
    assert any(d.startswith("CPU") for d in facts["devices"])
    assert facts["precision"]["reason"]
    assert facts["packages"]["tensorflow"]
    assert ".tif" in facts["readers"]
    assert facts["memory"]["total_gib"] > 0
    assert examine(tmp_path / "none")["registry"]["models"] == []
