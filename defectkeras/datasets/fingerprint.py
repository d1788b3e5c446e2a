"""The fingerprint of a set: SHA-256 over contents, not over names or places."""

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from defectkeras.core.errors import DatasetError
from defectkeras.core.files import sha256_of_file
from defectkeras.datasets.spec import Example

PREFIX = "sha256:"


def fingerprint_examples(examples: Sequence[Example]) -> str:
    """Give the fingerprint of a set: of its pairs, whatever their order and names.

    A change of one pixel changes it, and so does a swap of two annotations; a
    move to another folder or a new split does not.

    Args:
        examples: Of a data spec.

    Returns:
        "sha256:" and 64 hexadecimal digits.

    Raises:
        DatasetError: When a file cannot be read.
    """
    micrographs = _digests([e.micrograph_path for e in examples])
    annotations = _digests([e.annotation_path for e in examples])
    return combine_pairs(zip(micrographs, annotations, strict=True))


def combine_pairs(digests: Iterable[tuple[str, str]]) -> str:
    """Give the fingerprint of a set from the SHA-256 of each pair of files.

    Args:
        digests: Hexadecimal digits of micrograph and annotation.

    Returns:
        "sha256:" and 64 hexadecimal digits.
    """
    return _combine(f"{micrograph} {annotation}" for micrograph, annotation in digests)


def _combine(lines: Iterable[str]) -> str:
    text = "\n".join(sorted(lines))
    return PREFIX + hashlib.sha256(text.encode()).hexdigest()


def _digests(paths: Sequence[Path]) -> list[str]:
    """Give the SHA-256 of each file; hashing lets other threads run."""
    try:
        with ThreadPoolExecutor() as pool:
            return list(pool.map(sha256_of_file, paths))
    except OSError as error:
        raise DatasetError(
            "Every file of the set must be readable for its fingerprint. "
            f"Received: {error}."
        ) from error
