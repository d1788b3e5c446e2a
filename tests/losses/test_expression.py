"""Losses from text: what is read, what is refused, what is told."""

import pytest

from defectkeras.core.errors import TrainingError
from defectkeras.losses import SoftDice, build_loss, read_expression
from defectkeras.losses.expression import LOSSES, Term


@pytest.mark.parametrize(
    ("expression", "factors", "names"),
    [
        ("0.5*ce + 0.5*dice", (0.5, 0.5), ["ce", "dice"]),
        ("ce+dice", (1.0, 1.0), ["ce", "dice"]),
        (" 2 * dice ", (2.0,), ["dice"]),
        ("1e-2*ce+3*ce + lovasz", (0.01, 3.0, 1.0), ["ce", "ce", "lovasz"]),
    ],
)
def test_sums_are_read(expression, factors, names):
    loss = build_loss(expression, num_classes=3)
    assert loss.factors == factors
    assert [term.name for term in loss.losses] == names


def test_arguments_are_read():
    loss = build_loss(
        "0.6*focal(gamma=2.5, alpha=1) + 0.4*cldice(iterations=3, classes=[1, 3])",
        num_classes=4,
    )
    focal, cl_dice = loss.losses
    assert (focal.gamma, focal.alpha) == (2.5, 1)
    assert (cl_dice.iterations, cl_dice.classes) == (3, (1, 3))
    assert build_loss("ce(smoothing=0.05)", num_classes=3).smoothing == 0.05
    assert read_expression("tversky()") == (Term(1.0, "tversky"),)


def test_every_loss_stands_alone_under_its_name():
    for name in LOSSES:
        loss = build_loss(name, num_classes=3, line_classes=(1,))
        assert loss.name == name
    assert isinstance(build_loss("dice", num_classes=3), SoftDice)
    weights = (1.0, 2.0, 3.0)
    loss = build_loss("ce", num_classes=3, class_weights=weights)
    assert loss.class_weights == weights


def test_cldice_knows_the_lines_of_the_scheme():
    assert build_loss("cldice", num_classes=4, line_classes=[1, 2]).classes == (1, 2)
    named = build_loss("cldice(classes=3)", num_classes=4, line_classes=[1])
    assert named.classes == (3,)
    for expression in (
        "cldice",
        "cldice(classes=4)",
        "cldice(classes=[1.0])",
        "cldice(classes=1.0)",
    ):
        with pytest.raises(TrainingError, match="must have line classes"):
            build_loss(expression, num_classes=4)


@pytest.mark.parametrize(
    "expression",
    [
        *("", "ce +", "0*ce", "1..2*ce", "ce - dice", "ce dice", "2ce", "-1*ce"),
        *("ce*2", "2*3*ce", "1e999*ce", "True*ce", "[1]*ce", "(ce", "ce.x", "1"),
        *("focal(2)", "focal(gamma=x)", "focal(gamma='a')", "focal(**{})"),
        *("focal(gamma=-1)", "focal(gamma=1+1)", "focal()()", "focal(gamma=[[1]])"),
        *("focal(gamma=1e999)", "1" + "0" * 400 + "*ce", "focal(gamma=1j)", "1j*ce"),
        *("ce if ce else ce", "\0", "__import__('os').getcwd()", "a" + "(" * 999),
    ],
)
def test_unreadable_expressions(expression):
    with pytest.raises(TrainingError, match="must be a sum of terms"):
        read_expression(expression)


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("ce + dise", "Unknown loss 'dise'. Did you mean 'dice'"),
        ("focal(gama=2)", "argument of the loss 'focal' 'gama'. Did you mean 'gamma'"),
        ("ce(class_weights=[1, 2])", "Unknown argument of the loss 'ce'"),
        ("ce(name=1)", "Unknown argument of the loss 'ce'"),
        ("dice(smooth=1)", "Unknown argument of the loss 'dice' 'smooth'"),
        ("ce(smoothing=1)", "loss 'ce.smoothing=1.': `smoothing` must be"),
        ("ce(smoothing=[1])", "loss 'ce.smoothing=.1..': "),
        ("tversky(alpha=0)", "must be above 0"),
        ("ce + cldice(iterations=0)", "whole number from 1"),
    ],
)
def test_slips_are_told(expression, told):
    with pytest.raises(TrainingError, match=told):
        build_loss(expression, num_classes=3, line_classes=(1,))


def test_number_of_weights_is_checked():
    with pytest.raises(TrainingError, match="2 class weights"):
        build_loss("ce", num_classes=1, class_weights=(1, 2, 3))
