"""Only what nobody holds is removed, and never a part of it."""

import json
import os
import shutil
import time

import pytest

from defectkeras.registry.card import CARD
from defectkeras.registry.collect import find_removable, remove_version
from defectkeras.registry.manifest import write_manifest


@pytest.fixture
def full(registry):
    """Seven versions, all of them a year old."""
    folder = registry.root / "tiny"
    year_ago = time.time() - 365 * 24 * 3600
    for number in range(2, 8):
        shutil.copytree(folder / "1", folder / str(number))
    for number in range(1, 8):
        os.utime(folder / str(number), (year_ago, year_ago))
    return registry


def removable(registry, days=30):
    found = find_removable(registry, "tiny", older_than_days=days)
    return [r.version.version for r in found]


def test_newest_aliased_and_tagged_versions_are_held(full):
    full.set_alias("tiny", "production", 2)
    full.change_tags(full.resolve("tiny@3"), give=["keep"])
    assert removable(full) == [1, 4, 5, 6]


def test_what_a_rollback_would_bring_back_is_held(full):
    for number in (1, 2, 4):
        full.set_alias("tiny", "production", number)
    assert removable(full) == [1, 3, 5, 6]


def test_young_versions_are_held(full):
    os.utime(full.root / "tiny" / "5")
    assert removable(full) == [1, 2, 3, 4, 6]
    assert removable(full, days=400) == []


def test_parents_of_those_that_stay_are_held(full):
    def descend(child, parent):
        path = full.root / "tiny" / str(child)
        card = json.loads((path / CARD).read_text())
        (path / CARD).write_text(json.dumps({**card, "parent": parent}))
        write_manifest(path)

    descend(7, "tiny@4")
    descend(4, "tiny@2")
    descend(5, "tiny@1")
    assert removable(full) == [1, 3, 5, 6]


def test_removed_version_is_gone_and_its_number_is_not_given_again(
    full, model, make_card, golden_image
):
    for found in find_removable(full, "tiny", older_than_days=0):
        assert found.size_bytes > 10_000
        assert found.age_days == pytest.approx(365, abs=0.1)
        remove_version(full, found.version)
    assert full.versions("tiny") == (7,)
    left = {p.name for p in (full.root / "tiny").iterdir()}
    assert left <= {"7", ".lock", "aliases.json"}
    card = make_card(metrics={})
    assert full.publish("tiny", model, card, golden_image=golden_image).version == 8


def test_version_that_got_an_alias_meanwhile_is_kept(full):
    found = find_removable(full, "tiny", older_than_days=0)[0]
    full.set_alias("tiny", "production", found.version.version)
    with pytest.raises(ValueError, match="held by nothing"):
        remove_version(full, found.version)
    assert found.version.version in full.versions("tiny")
