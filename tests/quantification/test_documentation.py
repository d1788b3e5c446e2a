import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "quantification.md"


def test_examples_of_the_page_run():
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert tried > 20
    assert failed == 0
