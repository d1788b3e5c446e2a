"""What many tests share: real micrographs, a synthetic set, a tiny registry."""

import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from defectkeras.datasets.spec import LoadedExample

# A loaded machine is no failure: what may not be slow says so itself.
settings.register_profile(
    "any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any_machine")

ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-goldens", action="store_true", help="write tests/goldens/ anew"
    )


@pytest.fixture(autouse=True)
def _float32_policy() -> Iterator[None]:
    """Undo the precision that a test of precision chose for its process."""
    yield
    if "keras" in sys.modules:
        sys.modules["keras"].config.set_dtype_policy("float32")


@pytest.fixture
def rng() -> np.random.Generator:
    """Give randomness that no other test has drawn from: order must not matter."""
    return np.random.default_rng(0)


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
def draw_example() -> Callable[..., "LoadedExample"]:
    """Draw a micrograph with a dark disc (class 1) and a bright line (class 2)."""
    from defectkeras.core.calibration import Calibration
    from defectkeras.core.micrograph import Micrograph
    from defectkeras.datasets.spec import LoadedExample

    def draw(shape=(60, 84), *, seed=0, radius=9.0, classes=(1, 2)) -> LoadedExample:
        rng = np.random.default_rng(seed)
        rows, columns = np.indices(shape)
        pixels = 1000 + rng.normal(0, 20, shape)
        class_map = np.zeros(shape, np.int32)
        if 2 in classes:
            line = abs(columns - 0.7 * shape[1] + 0.3 * rows) < 1.5
            class_map[line], pixels[line] = 2, 1500
        if 1 in classes:
            disc = (rows - shape[0] / 2) ** 2 + (columns - shape[1] / 4) ** 2
            disc = disc < radius**2
            class_map[disc], pixels[disc] = 1, 500
        micrograph = Micrograph(pixels, Calibration(1.0), f"field_{seed}")
        return LoadedExample(micrograph, class_map)

    return draw


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
        architecture="patch_classifier",  # it is soon built, traced and published
        arguments={"patch_size": 9, "filters": 4},
        name="tiny",
        registry_root=folder / "registry",
        run_folder=folder / "run",
    )
    train(request, config)
    return folder / "registry"


@pytest.fixture
def write_sem() -> Callable[..., Path]:
    """Give a function that writes a TIFF whose tags tell of a data bar as FEI's do."""

    def write(path, pixels, *, bar_px, scanned_px=None) -> Path:
        scanned_px = len(pixels) - bar_px if scanned_px is None else scanned_px
        tags = (
            f"[Image]\nResolutionY={scanned_px}\n[PrivateFei]\nDatabarHeight={bar_px}\n"
        )
        tifffile.imwrite(path, pixels, extratags=[(34682, 2, 1, tags, True)])
        return path

    return write


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out figures, which take most of an analysis and are tested elsewhere."""
    name = "defectkeras.workflows.measure.micrograph_figures"
    monkeypatch.setattr(name, lambda *_: ())


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log curves alone, for pictures take most of a tiny training."""
    name = "defectkeras.training.event_log.EventLog.wants_pictures"
    monkeypatch.setattr(name, lambda *_: False)


@pytest.fixture
def start_browser(tmp_path: Path) -> Iterator[Callable[[], "Browser"]]:
    """Give a function that starts a browser, or skip where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium")
    with contextlib.ExitStack() as stack:

        def start() -> Browser:
            browser = Browser(tmp_path / "profile")
            stack.callback(browser.close)
            browser.attach()
            return browser

        yield start


class Browser:
    """A headless Chromium, spoken to over its debugging pipe (handles 3 and 4)."""

    def __init__(self, profile):
        to_browser, self.commands = os.pipe()
        self.answers, from_browser = os.pipe()
        flags = (
            "--headless --no-sandbox --disable-gpu --no-first-run --hide-scrollbars "
            "--disable-background-networking --remote-debugging-pipe"
        )
        command = (
            f'exec "$0" {flags} --user-data-dir="$1" 3<&{to_browser} 4>&{from_browser}'
        )
        self.process = subprocess.Popen(
            ["bash", "-c", command, CHROMIUM, str(profile)],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self.numbers, self.events, self.buffer = itertools.count(1), [], b""
        self.session = {}

    def attach(self):
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        found = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self.session = {"sessionId": found["sessionId"]}
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def close(self):
        self.process.terminate()
        self.process.wait()
        os.close(self.commands)
        os.close(self.answers)

    def ask(self, method, **parameters):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        os.write(self.commands, json.dumps(message | self.session).encode() + b"\0")
        while (answer := self.read()).get("id") != number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, url):
        loaded = len(self.found("Page.loadEventFired"))
        self.ask("Page.navigate", url=url)
        while len(self.found("Page.loadEventFired")) == loaded:
            self.events.append(self.read())

    def run(self, script):
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, script, timeout_s=60):
        """Wait until a script gives something true."""
        limit = time.monotonic() + timeout_s
        while not (value := self.run(script)) and time.monotonic() < limit:
            time.sleep(0.05)
        assert value, script

    def found(self, method):
        return [e["params"] for e in self.events if e.get("method") == method]

    def read(self):
        while b"\0" not in self.buffer:
            part = os.read(self.answers, 1 << 16)
            assert part, "the browser has ended"
            self.buffer += part
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)
