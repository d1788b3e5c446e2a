import click
import pytest

from defectkeras.cli.decimal import Decimal


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0,5", "'0,5' must have a decimal point, not a comma: 0.5."),
        ("1,5e-3", "not a comma: 1.5e-3."),
        ("1,000,5", "'1,000,5' is not a valid float range"),
        ("half", "'half' is not a valid float range"),
        ("-1", "-1.0 is not in the range x>0"),
    ],
)
def test_what_is_no_number_is_refused(text, told):
    with pytest.raises(click.BadParameter) as refused:
        Decimal(min=0, min_open=True).convert(text, None, None)
    assert told in refused.value.message


@pytest.mark.parametrize(("value", "number"), [("0.5", 0.5), (2, 2.0)])
def test_numbers_are_taken(value, number):
    assert Decimal(min=0).convert(value, None, None) == number


def test_a_command_tells_of_a_decimal_comma(run):
    result = run("analyze", ".", "--model", "x", "--out", "o", "--pixel-size-nm", "0,5")
    assert result.exit_code == 2
    last = result.stderr.splitlines()[-1]
    assert last.endswith("'0,5' must have a decimal point, not a comma: 0.5.")
