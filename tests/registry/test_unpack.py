"""Archives that mean harm, made here, leave nothing outside and little inside."""

import io
import tarfile

import numpy as np
import pytest

from defectkeras.core.errors import RegistryError
from defectkeras.registry.unpack import ArchiveLimits, unpack_archive


def plain(name, content=b"content"):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, content


def special(name, kind, linkname=""):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, linkname
    return member, b""


@pytest.fixture
def pack(tmp_path):
    """Give a function that writes members into an archive."""

    def write(*members, mode="w:gz"):
        path = tmp_path / "archive.tar.gz"
        with tarfile.open(path, mode) as tar:
            for member, content in members:
                tar.addfile(member, io.BytesIO(content))
        return path

    return write


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in" / "folder").mkdir(parents=True)
    return tmp_path / "in" / "folder"


def files_below(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_plain_files_come_out(pack, folder, mode):
    members = [plain("tiny/1/a.txt", b"one"), plain("tiny/1/deep/b.txt", b"two")]
    unpack_archive(pack(special("tiny", tarfile.DIRTYPE), *members, mode=mode), folder)
    assert files_below(folder) == {"tiny/1/a.txt", "tiny/1/deep/b.txt"}
    assert (folder / "tiny/1/deep/b.txt").read_bytes() == b"two"


@pytest.mark.parametrize(
    "member",
    [
        plain("../outside.txt"),
        plain("tiny/../../outside.txt"),
        plain("/etc/outside.txt"),
        plain("tiny\\..\\outside.txt"),
        plain("C:outside.txt"),
        plain("tiny/new\nline"),
        plain("tiny/" + "long" * 100),
        special("link", tarfile.SYMTYPE, "/etc"),
        special("link", tarfile.SYMTYPE, "../.."),
        special("hard", tarfile.LNKTYPE, "/etc/passwd"),
        special("device", tarfile.CHRTYPE),
        special("pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda m: repr(m[0].name[:24]),
)
def test_unsafe_members_are_refused(pack, folder, member):
    with pytest.raises(RegistryError, match="only plain files with relative names"):
        unpack_archive(pack(member), folder)
    assert files_below(folder.parents[1]) == {"archive.tar.gz"}


def test_link_and_a_file_through_it_are_refused(pack, folder, tmp_path):
    (tmp_path / "target").mkdir()
    link = special("tiny", tarfile.SYMTYPE, str(tmp_path / "target"))
    with pytest.raises(RegistryError, match="the link 'tiny'"):
        unpack_archive(pack(link, plain("tiny/file")), folder)
    assert files_below(tmp_path / "target") == set()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a/b.txt", "a/b.txt"),
        ("a/b.txt", "A/B.TXT"),
        ("a/ﬁle", "a/file"),
        ("a", "a/b"),
        ("a/b", "a"),
    ],
)
def test_names_that_clash_are_refused(pack, folder, first, second):
    with pytest.raises(RegistryError, match="each name once"):
        unpack_archive(pack(plain(first), plain(second)), folder)


def test_bomb_is_stopped_while_it_unpacks(pack, folder):
    bomb = pack(plain("tiny/1/zeros", bytes(8 * 2**20)))
    assert bomb.stat().st_size < 10_000
    with pytest.raises(RegistryError, match="unpack to at most 1 MiB"):
        unpack_archive(bomb, folder, limits=ArchiveLimits(most_ratio=2.0))
    written = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    assert written <= 2 * 2**20


def test_too_many_files_are_refused(pack, folder):
    members = [plain(f"tiny/1/{number}", b"") for number in range(12)]
    with pytest.raises(RegistryError, match="at most 10 files"):
        unpack_archive(pack(*members), folder, limits=ArchiveLimits(most_files=10))


def test_cut_archive_is_told_or_lost_nothing(pack, folder, tmp_path):
    content = np.random.default_rng(1).bytes(9_000)
    whole = pack(plain("tiny/1/a", content), plain("tiny/1/b", content)).read_bytes()
    refused = 0
    for part in range(0, len(whole), len(whole) // 40):
        cut = tmp_path / "cut.tar.gz"
        cut.write_bytes(whole[:part])
        (target := folder / str(part)).mkdir()
        try:
            unpack_archive(cut, target)
        except RegistryError:
            refused += 1
        else:  # only the end mark of the archive is missing
            assert (target / "tiny/1/b").read_bytes() == content
    assert refused >= 38


def test_foreign_file_is_told(folder, tmp_path):
    foreign = tmp_path / "foreign.tar"
    foreign.write_text("no archive")
    with pytest.raises(RegistryError, match="must be a whole"):
        unpack_archive(foreign, folder)
