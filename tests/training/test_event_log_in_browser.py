"""What only a running TensorBoard and a browser can tell: the panels are seen."""

import json
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from defectkeras.training.log_budget import PANEL_SIZE_PX

pytestmark = pytest.mark.slow

PATIENCE_S = 240
ELEMENTS = """(() => {
  const found = [];
  const walk = (root) => root.querySelectorAll("*").forEach((element) => {
    found.push(element);
    if (element.shadowRoot) walk(element.shadowRoot);
  });
  walk(document);
  return found;
})()"""
PICTURES = f"""{ELEMENTS}.filter((e) => e.tagName === "IMG").map(
  (e) => [e.naturalHeight, e.naturalWidth])"""
HEADINGS = f"""{ELEMENTS}.filter((e) => e.tagName === "TF-CARD-HEADING").map(
  (e) => e.tag)"""
SEEN = {"fields/1 field_2", "plots/calibration", "plots/confusion", "plots/sizes"}


def wait_for(look):
    end = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < end, "TensorBoard does not show it"
        time.sleep(0.5)
    return found


@pytest.fixture
def tensorboard(logged_run):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ("-m", "defectkeras", "tensorboard", logged_run.run_folder, "--port", port)
    process = subprocess.Popen(
        [sys.executable, *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield f"http://127.0.0.1:{port}/"
    process.terminate()
    process.wait()


def ask(url):
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)
    except OSError:
        return None


def test_tensorboard_shows_the_run(tensorboard, start_browser):
    scalars = f"{tensorboard}data/plugin/scalars/scalars?run=logs&tag=loss"
    assert [step for _, step, _ in wait_for(lambda: ask(scalars))] == [1, 2, 3]

    enabled = wait_for(lambda: ask(f"{tensorboard}data/plugins_listing"))
    for plugin in ("images", "pr_curves", "hparams", "graphs", "histograms"):
        assert enabled[plugin]["enabled"], plugin

    browser = start_browser()
    window = {"width": 1400, "height": 2400, "deviceScaleFactor": 1, "mobile": False}
    browser.ask("Emulation.setDeviceMetricsOverride", **window)
    browser.open(f"{tensorboard}#images")
    wait_for(lambda: set(browser.run(HEADINGS)) >= SEEN)
    wait_for(lambda: list(PANEL_SIZE_PX) in browser.run(PICTURES))
