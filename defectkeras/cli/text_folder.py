"""A folder whose name tables and pages can tell."""

from pathlib import Path
from typing import Any

import click


class TextFolder(click.Path):
    """A folder that exists or not, whose name is text in UTF-8."""

    def __init__(self) -> None:
        super().__init__(file_okay=False, path_type=Path)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Give the path, or refuse it before any work is done."""
        shown = str(value).encode(errors="backslashreplace").decode()
        if shown != str(value):
            self.fail(
                f"{shown}: names must be text in UTF-8. Received: other bytes, as "
                "older programs write them. Rename the folder, or name another.",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)
