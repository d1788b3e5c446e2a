"""Which software made a result, with the revision of our source where it is known."""

import functools
import json
import subprocess
from collections.abc import Iterable
from importlib.metadata import distribution, version
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def software_versions(packages: Iterable[str]) -> dict[str, str]:
    """Give the versions of defectkeras and of packages that are installed.

    Example:
        >>> list(software_versions(["numpy"]))
        ['defectkeras', 'numpy']
    """
    return {"defectkeras": source_version(), **{p: version(p) for p in packages}}


@functools.cache
def source_version() -> str:
    """Give the version of defectkeras, with the revision of its source where known.

    It is known in a checkout of git, and where pip has installed it from git (PEP
    610); it follows the version as PEP 440 has it, cut to twelve digits.

    Returns:
        "0.1.0+g0123456789ab", with ".dirty" at the end when a file in the checkout
        differs from that revision; "0.1.0" where the revision is not known.
    """
    installed = distribution("defectkeras")
    revision = revision_of_checkout(CHECKOUT) or revision_of_install(
        installed.read_text("direct_url.json")
    )
    return f"{installed.version}+g{revision}" if revision else installed.version


def revision_of_checkout(folder: Path) -> str | None:
    """Give the revision that is checked out in a folder; None when it is no checkout.

    None also without git, and where git refuses (a checkout of somebody else).
    """
    if not (folder / ".git").exists():
        return None
    options = ("--always", "--exclude=*", "--abbrev=12", "--dirty=.dirty")
    try:
        done = subprocess.run(
            ["git", "describe", *options],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def revision_of_install(direct_url: str | None) -> str | None:
    """Give the revision that pip noted in direct_url.json; None when it noted none.

    Example:
        >>> revision_of_install('{"vcs_info": {"commit_id": "0123456789abcdef"}}')
        '0123456789ab'
    """
    noted = json.loads(direct_url or "{}").get("vcs_info", {})
    return noted.get("commit_id", "")[:12] or None
