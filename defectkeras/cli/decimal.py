"""A number with a decimal point, within a range."""

from typing import Any

import click


class Decimal(click.FloatRange):
    """A float range that tells whoever writes a decimal comma what to write."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Give the number.

        Raises:
            BadParameter: When it is no number, or out of the range.
        """
        point = value.replace(",", ".") if isinstance(value, str) else value
        if point != value and _is_number(point):
            self.fail(
                f"{value!r} must have a decimal point, not a comma: {point}.",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
