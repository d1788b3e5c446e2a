"""The generated pages are those that the code would write now."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def load(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_cli_reference_is_what_the_commands_say():
    written = (ROOT / "docs" / "cli.md").read_text()
    assert written == load(ROOT / "docs" / "write_cli_reference.py").cli_reference(), (
        "run: make docs"
    )


def test_tables_of_the_benchmark_are_those_of_its_files():
    page = (ROOT / "docs" / "benchmark.md").read_text()
    assert page == load(ROOT / "docs" / "write_benchmark.py").fill(page), (
        "run: make docs"
    )


def test_shipped_models_are_told_as_their_cards_do():
    page = (ROOT / "docs" / "shipped_models.md").read_text()
    assert page == load(ROOT / "docs" / "write_shipped_models.py").fill(page), (
        "run: make docs"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith(("http:", "https:")):
            assert (page.parent / target).exists(), f"{page.name}: no {target}"
