"""What only a browser can tell: the page works, and runs nothing else."""

import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification.quantify import quantify
from defectkeras.reporting.agreement_pictures import draw_agreement
from defectkeras.reporting.comparison_page import write_comparison_page
from defectkeras.reporting.page import write_page
from defectkeras.reporting.results import FailedFile

EVIL = '"><img src=x onerror=alert(1)>.png'
CLASS = "</script><script>alert(2)</script>"

pytestmark = pytest.mark.slow

OPACITIES = """[...document.querySelectorAll("article")].map(
  (a) => getComputedStyle(a.querySelector(".layer")).opacity)"""
VISIBLE = """[...document.querySelector("article").querySelectorAll(".layer")].map(
  (layer) => layer.offsetParent !== null)"""
FADE = """{
  const slider = document.querySelector(".opacity");
  slider.value = 30;
  slider.dispatchEvent(new Event("input", {bubbles: true}));
}"""
POINT = """((index, object) => {
  const stack = document.querySelectorAll("article .stack")[index];
  stack.scrollIntoView();
  const [x, y] = JSON.parse(stack.dataset.targets).ellipses[object];
  const box = stack.getBoundingClientRect();
  stack.dispatchEvent(new PointerEvent("pointermove", {bubbles: true,
    clientX: box.left + x * box.width, clientY: box.top + y * box.width}));
  const hint = stack.closest("article").querySelector(".hint");
  const cells = [...hint.querySelectorAll("dd")].map((cell) => cell.textContent);
  return hint.hidden ? null : cells;
})"""
POINTED = """[...document.querySelectorAll("tr.pointed")].map(
  (row) => [...row.cells].map((cell) => cell.textContent))"""
SHARE = """document.querySelector(".scale-bar").getBoundingClientRect().width
  / document.querySelector(".stack").getBoundingClientRect().width"""
HEAD = """[...document.querySelectorAll("details th")].find(
  (head) => head.textContent.startsWith("Area"))"""
KEYS = f"""[...{HEAD}.closest("table").tBodies[0].rows].map(
  (row) => Number(row.cells[{HEAD}.cellIndex].dataset.key))"""

SHOWN_LAYERS = """[...document.querySelectorAll(".layer")].flatMap(
  (layer, i) => layer.offsetParent === null ? [] : [i])"""
CHOOSE_LAST_PAIR = """{
  const pair = document.querySelector("select.pair");
  pair.value = "2";
  pair.dispatchEvent(new Event("input", {bubbles: true}));
}"""


@pytest.fixture
def hostile():
    """Give a field whose class is called as an attacker would call it."""
    scheme = LabelScheme(
        (DefectClass(0, "matrix", "matrix"), DefectClass(1, CLASS, "region"))
    )
    class_map = np.zeros((240, 400), np.int32)
    class_map[20:60, 30:70] = class_map[100:140, 200:260] = 1
    return quantify(class_map, scheme, Calibration(0.5, 100.0))


@pytest.fixture
def browser(start_browser, reported, hostile, figures_of, run_facts, tmp_path):
    path = tmp_path / "report.html"
    reports = [
        reported(EVIL, warnings=(EVIL,)),
        reported("b", num_voids=16),
        reported("c", quantification=hostile, figures=figures_of(hostile)),
    ]
    write_page(run_facts, reports, path, failed=[FailedFile(EVIL, EVIL)])
    browser = start_browser()
    browser.open(path.as_uri())
    return browser


def test_the_page_asks_for_nothing_and_runs_nothing_strange(browser):
    urls = [e["request"]["url"] for e in browser.found("Network.requestWillBeSent")]
    assert [u[:5] for u in urls if not u.startswith("data:")] == ["file:"]
    for kind in (
        "Page.javascriptDialogOpening",
        "Log.entryAdded",  # what the policy refuses would be told here
        "Runtime.exceptionThrown",
    ):
        assert browser.found(kind) == []
    assert browser.run("[...document.images].every((i) => i.naturalWidth > 0)")


def test_slider_switches_and_sorting_work(browser):
    assert browser.run(OPACITIES) == ["1", "1", "1"]
    browser.run(FADE)  # one micrograph only
    assert browser.run(OPACITIES) == ["0.3", "1", "1"]

    for expected in ([False, True], [True, True]):
        browser.run("document.querySelector('.toggle').click()")
        assert browser.run(VISIBLE) == expected

    browser.run("document.querySelectorAll('details').forEach((d) => d.open = true)")
    browser.run(f"{HEAD}.querySelector('button').click()")
    rising = browser.run(KEYS)
    assert len(set(rising)) > 3
    assert rising == sorted(rising)
    browser.run(f"{HEAD}.querySelector('button').click()")
    assert browser.run(KEYS) == rising[::-1]
    assert browser.run(f"{HEAD}.getAttribute('aria-sort')") == "descending"


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_its_window(browser, width):
    browser.ask(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=800,
        deviceScaleFactor=1,
        mobile=width < 500,
    )
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run(SHARE) == pytest.approx(0.25, abs=0.005)  # 50 nm of 200 nm


def test_pointing_at_an_object_shows_its_row(browser):
    shown = browser.run(f"{POINT}(0, 5)")
    (row,) = browser.run(POINTED)
    assert shown == row
    assert browser.run(f"{POINT}(0, 6)") != shown

    browser.run(f"{HEAD}.querySelector('button').click()")  # sorting changes nothing
    assert browser.run(f"{POINT}(0, 5)") == shown
    assert browser.run(POINTED) == [shown]

    assert browser.run(f"{POINT}(2, 0)")[0] == CLASS  # as text
    assert browser.found("Page.javascriptDialogOpening") == []


def test_pointing_elsewhere_shows_nothing(browser):
    browser.run(f"{POINT}(0, 5)")
    browser.run(
        "document.querySelector('.stack').dispatchEvent(new Event('pointerleave'))"
    )
    assert browser.run("document.querySelector('.hint').hidden")
    assert browser.run(POINTED) == []


def test_the_page_of_a_comparison_runs_nothing_strange(
    start_browser, compared, run_facts, tmp_path
):
    found = compared((CLASS, EVIL, "net@1"), num_fields=2)
    maps = {a.label: np.zeros((40, 60), np.int32) for a in found.annotators}
    for number, class_map in enumerate(maps.values()):
        class_map[10:20, 5 * number : 5 * number + 20] = 2
    picture = draw_agreement(
        EVIL, None, maps, found.scheme, calibration=Calibration(0.5)
    )
    path = tmp_path / "c.html"
    write_comparison_page(found, run_facts, path, pictures=[picture])
    browser = start_browser()
    browser.open(path.as_uri())
    test_the_page_asks_for_nothing_and_runs_nothing_strange(browser)
    assert browser.run("document.body.innerText").count(CLASS) > 2

    assert browser.run(SHOWN_LAYERS) == [0, 1, 2]
    browser.run("document.querySelectorAll('.toggle')[1].click()")
    assert browser.run(SHOWN_LAYERS) == [0, 2]
    browser.run(CHOOSE_LAST_PAIR)
    assert browser.run(SHOWN_LAYERS) == [6, 7, 8]
