import pytest

from defectkeras.training.log_budget import (
    MAX_LOG_BYTES,
    PICTURE_EPOCHS,
    count_picture_epochs,
    gets_pictures,
    largest_log_bytes,
    samples_per_plugin,
)


@pytest.mark.parametrize("epochs", [1, 7, 50, 1000, 10_000])
@pytest.mark.parametrize("num_classes", [2, 4, 12])
@pytest.mark.parametrize("num_histograms", [0, 60, 2000])
def test_any_run_keeps_the_budget(epochs, num_classes, num_histograms):
    facts = {"num_classes": num_classes, "num_histograms": num_histograms}
    count = count_picture_epochs(epochs, **facts)
    assert largest_log_bytes(epochs, count, **facts) <= MAX_LOG_BYTES
    chosen = [e for e in range(1, epochs + 1) if gets_pictures(e, epochs, count)]
    assert 1 <= len(chosen) <= count
    assert chosen[-1] == epochs


def test_usual_runs_get_all_pictures():
    for epochs in (20, 80, 1000):
        assert count_picture_epochs(epochs, num_classes=4) == PICTURE_EPOCHS
    assert count_picture_epochs(3, num_classes=4) == 3


def test_tensorboard_keeps_every_picture():
    samples = dict(pair.split("=") for pair in samples_per_plugin().split(","))
    assert int(samples["images"]) >= PICTURE_EPOCHS
    assert int(samples["pr_curves"]) >= PICTURE_EPOCHS
