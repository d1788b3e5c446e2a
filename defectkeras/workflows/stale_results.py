"""Results of a file that has changed, or was renamed, since it was analyzed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from defectkeras.core.files import sha256_of_path
from defectkeras.workflows.annotated import AnnotatedField


def stale_results(
    fields: Sequence[AnnotatedField], files: Mapping[str, Path]
) -> dict[str, str]:
    """Say which fields of one source are results that may not be of their micrograph.

    Args:
        fields: Of a source; annotations of people tell no file.
        files: Name of a field to its micrograph, where there is one.

    Returns:
        Name of a field to what is the matter with it, in words.
    """
    by_sha256: dict[str, str] = {}
    stale = {}
    for field in fields:
        if field.sha256 is None:
            continue
        other = by_sha256.setdefault(field.sha256, field.name)
        file = files.get(field.name)
        if file is not None and sha256_of_path(file) != field.sha256:
            stale[field.name] = (
                f"a result of another file than {file}, as when that has changed. "
                "Analyze it again."
            )
        elif other != field.name:
            stale[field.name] = (
                f"a result of the same file as {other}, as when that was renamed. "
                "Take one of the two away."
            )
    return stale
