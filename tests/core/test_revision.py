"""The revision of the source, from git and from pip."""

import re
import subprocess
from importlib.metadata import version

from defectkeras.core.revision import (
    revision_of_checkout,
    revision_of_install,
    source_version,
)


def git(folder, *words):
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_a_checkout_tells_its_commit_and_whether_it_is_changed(tmp_path):
    git(tmp_path, "init")
    assert revision_of_checkout(tmp_path) is None  # no commit yet
    (tmp_path / "a.py").write_text("1")
    git(tmp_path, "add", "a.py")
    git(tmp_path, "commit", "-m", "one")
    git(tmp_path, "tag", "v1")
    commit = git(tmp_path, "rev-parse", "HEAD")[:12]
    (tmp_path / "result.csv").touch()  # is no source
    assert revision_of_checkout(tmp_path) == commit
    (tmp_path / "a.py").write_text("2")
    assert revision_of_checkout(tmp_path) == f"{commit}.dirty"


def test_a_folder_in_a_checkout_of_something_else_is_none(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "site-packages").mkdir()
    assert revision_of_checkout(tmp_path / "site-packages") is None


def test_pip_notes_a_commit_of_git_alone():
    assert revision_of_install(None) is None
    assert revision_of_install('{"url": "file:///a", "dir_info": {}}') is None
    noted = '{"url": "https://a", "vcs_info": {"commit_id": "0123456789abcdef"}}'
    assert revision_of_install(noted) == "0123456789ab"


def test_it_follows_the_version():
    pattern = rf"{re.escape(version('defectkeras'))}(\+g[0-9a-f]{{12}}(\.dirty)?)?"
    assert re.fullmatch(pattern, source_version())
