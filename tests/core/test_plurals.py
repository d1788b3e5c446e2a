import pytest

from defectkeras.core.plurals import counted


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 fields"), (1, "1 field"), (12, "12 fields")]
)
def test_one_is_not_many(count, text):
    assert counted(count, "field") == text
