"""A loss from a line of text: "0.5*ce + 0.5*focal(gamma=2)"."""

import ast
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from defectkeras.core.errors import TrainingError
from defectkeras.core.names import require_known
from defectkeras.losses.boundary import Boundary
from defectkeras.losses.cl_dice import SoftClDice
from defectkeras.losses.cross_entropy import CrossEntropy
from defectkeras.losses.dice import SoftDice
from defectkeras.losses.focal import Focal
from defectkeras.losses.loss_sum import LossSum
from defectkeras.losses.lovasz import LovaszHinge, LovaszSoftmax
from defectkeras.losses.tversky import FocalTversky, Tversky

LOSSES: dict[str, Callable[..., keras.losses.Loss]] = {
    "boundary": Boundary,
    "ce": CrossEntropy,
    "cldice": SoftClDice,
    "dice": SoftDice,
    "focal": Focal,
    "focal_tversky": FocalTversky,
    "lovasz": LovaszSoftmax,
    "lovasz_hinge": LovaszHinge,
    "tversky": Tversky,
}
"""Name in an expression to the loss; its arguments are those of the constructor."""

_LARGEST = sys.float_info.max
_NOT_TOLD = ("name", "class_weights")  # arguments that no expression sets


@dataclass(frozen=True)
class Term:
    """One term of an expression.

    Attributes:
        factor: Above 0.
        name: A key of `LOSSES`.
        arguments: Of the loss, by name.
    """

    factor: float
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


def build_loss(
    expression: str,
    *,
    num_classes: int,
    class_weights: Sequence[float] | None = None,
    line_classes: Sequence[int] = (),
) -> keras.losses.Loss:
    """Build the loss that an expression such as "0.5*ce + 0.5*dice" names.

    Args:
        expression: See `read_expression`.
        num_classes: Number of classes K, the matrix among them; 1 for a model
            with one map of logits, which has two classes.
        class_weights: One weight for each class, the matrix first, for "ce";
            None weighs all classes by 1.
        line_classes: Indices of the line classes, for a "cldice" that names none.

    Returns:
        A loss of class maps (B, H, W) and logits (B, H, W, K).

    Raises:
        TrainingError: When the expression cannot be read, a loss or an argument
            is unknown or out of range, or the number of weights is not the number
            of classes.

    Example:
        >>> build_loss("0.5*ce + 0.5*dice", num_classes=4).factors
        (0.5, 0.5)
        >>> build_loss("focal(gamma=3)", num_classes=1).gamma
        3
        >>> build_loss("cee", num_classes=4)
        Traceback (most recent call last):
        defectkeras.core.errors.TrainingError: Unknown loss 'cee'. Did you mean 'ce'?
    """
    expected = max(num_classes, 2)
    if class_weights is not None and len(class_weights) != expected:
        raise TrainingError(
            f"There must be {expected} class weights, the matrix first. Received: "
            f"{tuple(class_weights)}."
        )
    given: dict[str, dict[str, Any]] = {
        "ce": {"class_weights": class_weights},
        "cldice": {"classes": tuple(line_classes)},
    }
    terms = read_expression(expression)
    losses = []
    for term in terms:
        arguments = given.get(term.name, {}) | term.arguments
        if term.name == "cldice":
            _require_line_classes(arguments["classes"], expected)
        try:
            losses.append(LOSSES[term.name](**arguments))
        except (TypeError, ValueError) as error:
            raise TrainingError(f"loss {expression!r}: {error}") from error
    factors = [term.factor for term in terms]
    return losses[0] if factors == [1.0] else LossSum(losses, factors)


def _require_line_classes(classes: int | Sequence[int], num_classes: int) -> None:
    listed = list(classes) if isinstance(classes, Sequence) else [classes]
    if not listed or not all(type(c) is int and 0 < c < num_classes for c in listed):
        raise TrainingError(
            '"cldice" must have line classes, whole numbers from 1 to '
            f"{num_classes - 1}. Received: {listed}. Give a class of the data spec "
            'the kind "line", or name classes, as in "cldice(classes=[1, 2])".'
        )


def read_expression(expression: str) -> tuple[Term, ...]:
    """Read a sum of losses.

    Args:
        expression: Terms joined by "+". A term is the name of a loss or a factor
            above 0, "*" and the name; after the name may stand arguments of the
            loss, in parentheses, by name, each a number or a list of numbers.

    Raises:
        TrainingError: When it cannot be read, or a loss or an argument is
            unknown.

    Example:
        >>> read_expression("0.7*dice + cldice(iterations=4, classes=1)")[1]
        Term(factor=1.0, name='cldice', arguments={'iterations': 4, 'classes': 1})
    """
    try:
        node = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _unreadable(expression) from error
    terms: list[Term] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        terms.append(_read_term(node.right, expression))
        node = node.left
    return (_read_term(node, expression), *reversed(terms))


def _read_term(node: ast.expr, expression: str) -> Term:
    """Read a factor, a name and arguments."""
    factor: Any = 1.0
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        factor, node = _read_value(node.left, expression), node.right
    arguments: dict[str, Any] = {}
    if isinstance(node, ast.Call) and not node.args:
        arguments = {
            str(k.arg): _read_value(k.value, expression) for k in node.keywords
        }
        node = node.func
    is_factor = not isinstance(factor, list) and factor > 0
    if not isinstance(node, ast.Name) or not is_factor:
        raise _unreadable(expression)
    require_known(node.id, LOSSES, what="loss", error=TrainingError)
    known = [
        p for p in inspect.signature(LOSSES[node.id]).parameters if p not in _NOT_TOLD
    ]
    for name in arguments:
        what = f"argument of the loss {node.id!r}"
        require_known(name, known, what=what, error=TrainingError)
    return Term(float(factor), node.id, arguments)


def _read_value(node: ast.expr, expression: str) -> Any:
    """Read a number, or a list of numbers."""
    entries = node.elts if isinstance(node, ast.List) else [node]
    values: list[Any] = [getattr(entry, "value", None) for entry in entries]
    is_number = [type(v) in (int, float) and abs(v) <= _LARGEST for v in values]
    if not all(is_number):
        raise _unreadable(expression)
    return values if isinstance(node, ast.List) else values[0]


def _unreadable(expression: str) -> TrainingError:
    return TrainingError(
        "A loss must be a sum of terms such as 'ce', '0.5*dice' or 'focal(gamma=2)', "
        f"with factors above 0. Received: {expression!r}."
    )
