"""What this computer has, complete and ready for JSON."""

import json

from defectkeras.micrographs import read
from defectkeras.workflows.doctor import examine


def test_facts_are_complete(tiny_registry, tmp_path):
    facts = examine(tiny_registry)
    json.dumps(facts, allow_nan=False)
    assert facts["registry"]["models"] == ["tiny"]
    assert facts["registry"]["writable"]
    assert "CPU:0" in facts["devices"]
    assert facts["precision"]["reason"]
    assert facts["packages"]["tensorflow"]
    assert ".tif" in facts["readers"]
    assert facts["memory"]["total_gib"] > 0
    assert examine(tmp_path / "none")["registry"]["models"] == []


def test_a_missing_reader_is_listed_as_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(read, "is_installed", lambda: False)
    readers = examine(tmp_path)["readers"]
    assert readers[".dm3"] is None
    assert readers[".dm4"] == "digital_micrograph"
