"""What many tests share: real micrographs, a synthetic set, a tiny registry."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A loaded machine is no failure: what may not be slow says so itself.
settings.register_profile(
    "any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any_machine")

ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-goldens", action="store_true", help="write tests/goldens/ anew"
    )


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """Give the folder of a set of real micrographs, or skip where it is absent."""

    def folder(name: str) -> Path:
        path = SHARED_DATA / name
        if not path.exists():
            pytest.skip(f"the real micrographs of {name} are not here")
        return path

    return folder


@pytest.fixture(scope="session")
def synthetic_spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the data spec of four small synthetic micrographs, one of them for val."""
    from defectkeras.workflows.synthesize import SynthesisPlan, synthesize_dataset

    plan = SynthesisPlan(count=4, shape=(120, 152), seed=3, val_fraction=0.25)
    return synthesize_dataset(tmp_path_factory.mktemp("synthetic") / "set", plan)


@pytest.fixture(scope="session")
def tiny_registry(
    synthetic_spec: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Give a registry with the model `tiny`, trained for two steps."""
    from defectkeras.training.config import TrainingConfig
    from defectkeras.workflows.train import TrainingRequest, train

    folder = tmp_path_factory.mktemp("tiny")
    config = TrainingConfig(epochs=1, steps_per_epoch=2, batch_size=2, patch_size=48)
    request = TrainingRequest(
        synthetic_spec,
        name="tiny",
        registry_root=folder / "registry",
        run_folder=folder / "run",
    )
    train(request, config)
    return folder / "registry"
