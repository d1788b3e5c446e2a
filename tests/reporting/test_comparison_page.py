import dataclasses
import re

import pytest

from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.reporting.comparison_page import write_comparison_page

EVIL = '"><img src=x onerror=alert(1)>.png'


@pytest.mark.slow
def test_the_page_has_everything_within(compared, run_facts, tmp_path):
    write_comparison_page(compared(), run_facts, tmp_path / "c.html")
    text = (tmp_path / "c.html").read_text()

    for part in (
        "anna, count",
        "A higher count is not a better one",
        "Limits of agreement",
        "Within the spread of the people?",
        "Look here.",
        "doi:10.1016/S0140-6736(86)90837-8",
    ):
        assert part in text
    assert not re.search(r'(src|href)="(?!#|data:)', text)
    ids = re.findall(r' id="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    kinds = {p.suffix for p in (tmp_path / "figures").iterdir()}
    assert kinds == {".svg", ".pdf"}


@pytest.mark.slow
def test_hostile_names_stay_text(compared, run_facts, tmp_path):
    found = compared(("</script><script>alert(2)</script>", EVIL, "net"), num_fields=2)
    scheme = LabelScheme(
        (DefectClass(0, "matrix", "matrix"), DefectClass(1, EVIL, "region"))
    )
    hostile = dataclasses.replace(found, scheme=scheme, notes=(EVIL,))
    values = hostile.values.replace({"class_name": {"void": EVIL}})
    named = [
        dataclasses.replace(d, class_name=EVIL)
        for d in hostile.differences
        if d.class_name == "void"
    ]
    hostile = dataclasses.replace(hostile, values=values, differences=tuple(named))
    write_comparison_page(hostile, run_facts, tmp_path / "c.html")
    text = (tmp_path / "c.html").read_text()

    assert "<img" not in text
    assert text.count("<script>") == 1


def test_one_person_and_a_model_have_no_spread(compared, run_facts, tmp_path):
    found = dataclasses.replace(compared(num_fields=1), spreads=())
    write_comparison_page(found, run_facts, tmp_path / "c.html")
    assert "Within the spread" not in (tmp_path / "c.html").read_text()
