import shutil
import time

import pytest

from defectkeras.core.errors import RegistryError
from defectkeras.serving import served_models
from defectkeras.serving.servable import Servable
from defectkeras.serving.served_models import ServedModels
from defectkeras.serving.status import Code, StatusError


def load_light(version):
    """Stands for loading: a version that computes nothing."""
    return Servable(version, {}, {})


def found(models, **words):
    return models.find("tiny", **words).version.version


@pytest.fixture
def models(own_registry):
    made = ServedModels(own_registry, poll_s=0.01, load=load_light)
    made.refresh()
    return made


def test_versions_and_labels_are_found(models):
    assert found(models) == 3
    assert found(models, version=2) == 2
    assert found(models, label="production") == 1
    for words, code in (
        ({"version": 9}, Code.NOT_FOUND),
        ({"label": "no"}, Code.INVALID_ARGUMENT),
    ):
        with pytest.raises(StatusError) as caught:
            found(models, **words)
        assert caught.value.code is code
    with pytest.raises(StatusError, match=r"Latest\(other\)"):
        models.find("other")


def test_aliases_move_and_move_back(models, own_registry):
    own_registry.set_alias("tiny", "production", 3)
    assert found(models, label="production") == 1
    models.refresh()
    assert found(models, label="production") == 3
    own_registry.rollback("tiny", "production")
    models.refresh()
    assert found(models, label="production") == 1


def test_a_label_waits_for_its_version(models, own_registry):
    def refuse(version):
        raise RegistryError(f"{version.reference} is damaged")

    shutil.copytree(own_registry.root / "tiny/1", own_registry.root / "tiny/4")
    own_registry.set_alias("tiny", "production", 4)
    models._load = refuse
    models.refresh()
    assert found(models, label="production") == 1
    assert found(models) == 3
    state = models.states("tiny", 4)[4]
    assert (state.state, state.error) == ("END", "tiny@4 is damaged")

    models._load = load_light  # a failed version is tried again later
    models.refresh()
    assert found(models, label="production") == 1


def test_a_failed_version_is_tried_again(models, own_registry, monkeypatch):
    calls = []

    def fail_once(version):
        calls.append(version)
        if len(calls) == 1:
            raise OSError("the network file system was away")
        return load_light(version)

    shutil.copytree(own_registry.root / "tiny/1", own_registry.root / "tiny/4")
    monkeypatch.setattr(served_models, "RETRY_S", 0.0)
    models._load = fail_once
    models.refresh()
    assert found(models) == 3
    models.refresh()
    assert found(models) == 4


def test_versions_go_when_nothing_means_them(models, own_registry):
    shutil.copytree(own_registry.root / "tiny/1", own_registry.root / "tiny/4")
    for version in (3, 1, 3, 1):  # the last three moves are of 1 and 3
        own_registry.set_alias("tiny", "production", version)
    kept = models.find("tiny", version=2)
    models.refresh()
    with pytest.raises(StatusError, match=r"Specific\(tiny, 2\)"):
        found(models, version=2)
    assert models.states("tiny", 2)[2].state == "END"
    assert kept.version.version == 2  # a request on its way keeps it
    own_registry.set_alias("tiny", "old", 2)
    models.refresh()
    assert found(models, label="old") == found(models, version=2) == 2


def test_a_model_that_is_gone_is_served_no_more(models, own_registry):
    shutil.rmtree(own_registry.root / "tiny")
    models.refresh()
    with pytest.raises(StatusError, match=r"Latest\(tiny\)"):
        found(models)


def test_a_broken_alias_book_changes_nothing(models, own_registry):
    (own_registry.root / "tiny/aliases.json").write_text("{")
    models.refresh()
    assert found(models, label="production") == 1


def test_it_watches_until_it_is_stopped(models, own_registry):
    models.start()
    own_registry.set_alias("tiny", "production", 2)
    limit = time.monotonic() + 60
    while found(models, label="production") != 2 and time.monotonic() < limit:
        time.sleep(0.01)
    models.stop()
    assert found(models, label="production") == 2
