import inspect

import pytest

from defectkeras.core import errors

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_is_caught_as_one_family(error):
    assert issubclass(error, errors.DefectKerasError)
    assert error.__doc__


@pytest.mark.parametrize("error", CLASSES)
def test_the_tree_in_the_docstring_names_every_error(error):
    assert error.__name__ in (errors.__doc__ or "")


def test_a_mendable_error_is_no_programmers_slip():
    assert not issubclass(errors.DefectKerasError, ValueError)
