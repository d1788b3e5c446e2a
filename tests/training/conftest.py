"""The classes of the small drawn micrographs, tiny models and runs on them."""

import contextlib
import resource
from collections.abc import Callable, Iterator

import keras
import pytest

from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.training.config import TrainingConfig
from defectkeras.training.event_log import EventLog
from defectkeras.training.train import train


@pytest.fixture(scope="session")
def scheme() -> LabelScheme:
    return LabelScheme(
        (
            DefectClass(0, "matrix", "matrix"),
            DefectClass(1, "void", "region"),
            DefectClass(2, "dislocation", "line"),
        )
    )


@pytest.fixture(scope="session")
def build_tiny_model() -> Callable[..., keras.Model]:
    """A model of stride 2 with a few hundred weights, seeded."""

    def build(num_classes=3, *, seed=0, middle=None) -> keras.Model:
        keras.utils.set_random_seed(seed)
        image = keras.Input((None, None, 1))
        x = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(image)
        x = keras.layers.MaxPooling2D()(x)
        x = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(x)
        x = middle(x) if middle else x
        x = keras.layers.UpSampling2D()(x)
        x = keras.layers.Concatenate()([x, image])
        logits = keras.layers.Conv2D(
            num_classes, 3, padding="same", dtype="float32", name="logits"
        )(x)
        return keras.Model(image, logits, name="tiny")

    return build


@pytest.fixture(scope="session")
def train_tiny(scheme, draw_example, build_tiny_model):
    """Train a tiny model on two drawn micrographs; validate on a third."""

    def run(run_folder, config, *, model=None, **arguments):
        train_examples = [draw_example((60, 84)), draw_example((50, 40), seed=1)]
        return train(
            model or build_tiny_model(),
            train_examples,
            [draw_example((45, 61), seed=2)],
            scheme,
            config,
            run_folder=run_folder,
            **arguments,
        )

    return run


@pytest.fixture(scope="session")
def logged_run(scheme, draw_example, build_tiny_model, tmp_path_factory):
    """A run of three epochs that was killed between log and checkpoint of the second.

    It went on afterwards, so that its log holds the second epoch twice.
    """
    config = TrainingConfig(
        epochs=3,
        steps_per_epoch=3,
        batch_size=2,
        patch_size=32,
        precision="float32",
        histograms=True,
        profile=True,
    )

    def go(resume):
        return train(
            build_tiny_model(),
            [draw_example((60, 84))],
            [
                draw_example((40, 52), seed=1, classes=()),
                draw_example((45, 61), seed=2),
                *(draw_example((30, 38), seed=k, radius=7) for k in (3, 4)),
            ],
            scheme,
            config,
            run_folder=tmp_path_factory.getbasetemp() / "logged" / "run",
            resume=resume,
        )

    def write_and_die(log, rows, *others):
        write(log, rows, *others)
        if len(rows) == 2:
            raise RuntimeError("killed")

    write = EventLog.write
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EventLog, "write", write_and_die)
        with pytest.raises(RuntimeError, match="killed"):
            go(resume=False)
    return go(resume=True)


@pytest.fixture
def full_disk() -> Callable[[int], contextlib.AbstractContextManager[None]]:
    """Let no file grow beyond a number of bytes, as on a full disk."""

    @contextlib.contextmanager
    def limit(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limit
