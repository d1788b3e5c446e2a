import numpy as np
import pytest

from defectkeras.registry.store import ModelRegistry
from defectkeras.serving.batching import Batcher
from defectkeras.serving.monitoring import Metrics
from defectkeras.serving.predictor import Predictor, Wanted
from defectkeras.serving.served_models import ServedModels
from defectkeras.serving.status import Code, StatusError

TILE = np.zeros((1, 8, 12, 1), np.float32)


@pytest.fixture(scope="module")
def models(served_root):
    made = ServedModels(ModelRegistry(served_root))
    made.refresh()
    return made


@pytest.fixture
def predictor(models):
    batcher = Batcher(
        num_threads=1, max_batch_size=4, max_pixels=9_999, max_wait_s=0, max_jobs=4
    )
    yield Predictor(models, batcher, Metrics(), max_requests=1, max_pixels=9_999)
    batcher.stop()


def ask(predictor, wanted, read=lambda servable, signature: {"image": TILE}):
    return predictor.predict(wanted, read, entrypoint="REST", timeout_s=60)


def test_it_answers_by_the_version_that_is_meant(predictor):
    servable, signature, outputs = ask(
        predictor, Wanted("tiny", label="production", signature="tiles")
    )
    assert (servable.version.version, signature) == (1, "tiles")
    assert outputs["probability_map"].shape == (1, 8, 12, 3)
    servable, signature, _ = ask(predictor, Wanted("tiny"))
    assert (servable.version.version, signature) == (3, "serving_default")


def test_too_many_at_a_time_are_refused(predictor):
    def ask_again(servable, signature):
        with pytest.raises(StatusError) as caught:
            ask(predictor, Wanted("tiny"))
        assert caught.value.code is Code.UNAVAILABLE
        return {"image": TILE}

    ask(predictor, Wanted("tiny"), ask_again)
    ask(predictor, Wanted("tiny"))  # the place is free again


def test_names_that_are_not_served_leave_no_trace(predictor):
    with pytest.raises(StatusError):
        ask(predictor, Wanted("other"))
    assert b"other" not in predictor.metrics.page()


def test_too_many_pixels_are_refused(predictor):
    large = {"image": np.zeros((1, 100, 100, 1), np.float32)}
    with pytest.raises(StatusError, match="9999 pixels at most but has 10000"):
        ask(predictor, Wanted("tiny"), lambda servable, signature: large)
