from pathlib import Path

from defectkeras.registry.version import ModelVersion


def test_reference(make_card):
    version = ModelVersion("tiny", 3, Path("root/tiny/3"), make_card(), "0" * 64)
    assert version.reference == "tiny@3"
