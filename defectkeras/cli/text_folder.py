"""A folder whose name tables and pages can tell."""

from pathlib import Path
from typing import Any

import click

from defectkeras.core.file_names import not_text


class TextFolder(click.Path):
    """A folder, whose name is text in UTF-8; `exists` tells whether it must exist."""

    def __init__(self, *, exists: bool = False) -> None:
        super().__init__(exists=exists, file_okay=False, path_type=Path)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Give the path, or refuse it before any work is done."""
        if reason := not_text(str(value)):
            self.fail(f"{reason} Rename the folder, or name another.", param, ctx)
        return super().convert(value, param, ctx)
