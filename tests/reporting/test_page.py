import base64
import dataclasses
import hashlib
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification.quantify import quantify
from defectkeras.reporting.page import flatten, format_time, mark_options, write_page
from defectkeras.reporting.results import FailedFile, RunFacts

EVIL = '"><img src=x onerror=alert(1)>.png'
VOID = {"meta", "img", "input", "br", "link", "hr", "mspace"}


class Page(HTMLParser):
    """The elements of a page with their attributes and text, all closed well."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.words, self.script = [], [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["script"]:
            self.script += data
        elif self.open[-1:] != ["style"]:
            self.words.append(data.strip())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(word for word in self.words if word)


@pytest.fixture
def page(reported, run_facts, tmp_path):
    def write(*reports, run=run_facts, **more):
        path = tmp_path / "report.html"
        write_page(run, reports or [reported()], path, **more)
        return Page(path.read_text(encoding="utf-8"))

    return write


def test_everything_is_within_the_page(page, reported):
    found = page(reported("a"), reported("b"))
    sources = [i["src"] for i in found.all("img")]
    assert len(sources) == 2 * 3  # micrograph and two layers
    assert all(s.startswith(("data:image/jpeg;", "data:image/png;")) for s in sources)
    assert found.all("link") == []
    assert ["src" in s for s in found.all("script")] == [False]
    for link in found.all("a"):
        assert "://" not in link["href"]


def test_the_policy_lets_only_our_script_run(page):
    found = page()
    (policy,) = [
        m["content"]
        for m in found.all("meta")
        if m.get("http-equiv") == "Content-Security-Policy"
    ]
    digest = base64.b64encode(hashlib.sha256(found.script.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert "img-src data:;" in policy
    assert f"script-src 'sha256-{digest}'" in policy
    assert "unsafe-eval" not in policy
    assert len(found.all("script")) == 1


def test_names_of_elements_are_used_once(page, reported):
    found = page(reported("a"), reported("b"))
    ids = [a["id"] for _, a in found.elements if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {a["href"][1:] for a in found.all("a") if a["href"].startswith("#")}
    assert targets <= set(ids)


def test_of_very_many_micrographs_the_first_are_shown(page, reported, monkeypatch):
    monkeypatch.setattr("defectkeras.reporting.page.MAX_SHOWN", 1)
    found = page(reported("a"), reported("b"), reported("c"))
    assert len(found.all("img")) == 3  # of one
    assert "The first 1 micrographs are shown" in found.text
    assert "3 micrographs" in found.text
    assert "#m1" in {a["href"] for a in found.all("a")}
    assert "#m2" not in {a["href"] for a in found.all("a")}


def test_hostile_names_stay_text(page, reported, figures_of):
    scheme = LabelScheme(
        (DefectClass(0, "matrix", "matrix"), DefectClass(1, EVIL, "region"))
    )
    report = reported(
        EVIL,
        warnings=(EVIL + " --out",),
        files={EVIL: "javascript:alert(1)", "objects.csv": EVIL},
        sha256="ab" * 32,
        file=EVIL,
    )
    drawn = np.zeros((50, 70), dtype=np.int32)
    drawn[10:20, 10:30] = drawn[30:40, 40:60] = 1
    found = quantify(drawn, scheme, Calibration(1.0, 50.0, EVIL, EVIL))
    named = reported(
        "classes", quantification=found, pictures=None, figures=figures_of(found)
    )
    run = RunFacts(
        created=EVIL,
        software={"defectkeras": EVIL},
        settings={EVIL: {EVIL: EVIL}},
        command=EVIL,
        title=EVIL,
    )
    found = page(report, named, run=run, failed=[FailedFile(EVIL, EVIL)])
    assert {i["src"][:5] for i in found.all("img")} == {"data:"}
    assert not any(k.startswith("on") for _, a in found.elements for k in a)
    assert len(found.all("script")) == 1
    for link in found.all("a"):
        assert not link["href"].lower().startswith(("javascript:", "data:"))
    assert found.text.count(EVIL) >= 8


def test_the_numbers_are_there_with_unit_interval_and_method(page):
    text = page().text
    for part in (
        "Number density",
        "m⁻³",
        "cut corrected",
        "Garwood",
        "0.5 nm",
        "from file tag 34682",
        "100 nm",
        "120 × 200 nm, height × width",
        "How the numbers were made",
        "Dislocation density, by intercepts",
        "2026-08-27 09:30 UTC",
    ):
        assert part in text


def test_what_cannot_be_given_says_why(page, reported):
    text = page(reported(calibration=Calibration())).text
    assert "Not given" in text
    assert "no pixel size: give it with --pixel-size-nm" in text
    assert "not known: results are in pixels" in text


def test_the_model_is_told(page, run_facts):
    text = page().text
    for part in ("voids@3", run_facts.model.sha256, "Apache-2.0", "Knows no loops."):
        assert part in text
    assert "0.4 to 0.8 nm" in text


def test_without_a_model_nothing_is_said_of_one(page):
    found = page(run=RunFacts(created="", software={"defectkeras": "0.1.0"}))
    assert "model" not in [a.get("id") for _, a in found.elements]


def test_tables_over_all_micrographs_are_linked(reported, run_facts, tmp_path):
    path, names = tmp_path / "report.html", ["quantities.csv", "objects.csv"]
    for reports in ([reported()], [reported(), reported(name="b")]):
        write_page(run_facts, reports, path, tables=names)
        links = [a.get("href") for a in Page(path.read_text(encoding="utf-8")).all("a")]
        assert [link for link in links if link in names] == names


def test_failed_files_and_warnings_are_on_top(page, reported):
    report = reported(warnings=("Do not trust this.",))
    failed = [FailedFile("bad.tif", "It is empty.")]
    text = page(report, failed=failed, notes=["Old ones are there."]).text
    assert text.index("bad.tif") < text.index("Old ones are there.")
    assert text.index("Old ones are there.") < text.index("Do not trust this.")
    assert "It is empty." in text
    assert "1 failed" in text


def test_a_run_in_which_all_failed_has_a_page(run_facts, tmp_path):
    write_page(run_facts, [], tmp_path / "r.html", failed=[FailedFile("a", "b")])
    found = Page((tmp_path / "r.html").read_text())
    assert "0 micrographs" in found.text


def test_long_tables_point_to_the_file(page, reported, measured):
    objects = measured().objects
    many = pd.concat([objects] * 10, ignore_index=True)
    long = dataclasses.replace(measured(), objects=many)
    files = {"objects.csv": "field 1/objects.csv"}
    found = page(reported(files=files, quantification=long))
    assert "The first 200 of 240." in found.text
    links = [a["href"] for a in found.all("a")]
    assert "field%201/objects.csv" in links


def test_an_overview_comes_with_two_micrographs(page, reported):
    assert "All micrographs" not in page(reported("a")).text
    found = page(reported("a"), reported("b", num_voids=16))
    assert "All micrographs" in found.text
    assert "ASTM E562" in found.text


def test_a_field_without_defects_is_shown(page, reported, empty):
    text = page(reported("nothing", quantification=empty, pictures=None)).text
    assert "nothing" in text


def test_the_scale_bar_is_a_share_of_the_picture(page):
    (bar,) = [
        a
        for tag, a in page().elements
        if tag == "div" and a.get("class") == "scale-bar"
    ]
    assert bar["style"] == "width: 25.0000%"  # 50 nm of 200 nm


def test_bars_of_a_report_can_be_read_aloud(page):
    found = page()
    assert [bool(i.get("alt")) for i in found.all("img")] == [True] * 3
    assert {svg["role"] for svg in found.all("svg")} == {"img"}
    assert {bool(svg["aria-label"]) for svg in found.all("svg")} == {True}


def test_settings_in_settings_are_flat():
    assert flatten({"a": {"b": 1, "c": {"d": None}}, "e": (1, 2)}) == {
        "a.b": "1",
        "a.c.d": "not set",
        "e": "1, 2",
    }


def test_times_and_options_are_legible():
    assert format_time("2026-01-02T03:04:05") == "2026-01-02 03:04"
    assert format_time("soon") == "soon"
    assert "<b>" not in mark_options("<b> --out")
