"""What a damaged version is told to be."""

import pytest

from defectkeras.core.errors import RegistryError
from defectkeras.registry.aliases import BOOK
from defectkeras.registry.verify import verify_aliases, verify_version


def test_verify_names_a_flipped_byte_in_any_file(registry):
    version = registry.resolve("tiny")
    files = sorted(p for p in version.path.rglob("*") if p.is_file())
    assert len(files) > 7
    for path in files:
        content = path.read_bytes()
        flipped = bytearray(content)
        flipped[len(content) // 3] ^= 0x10
        path.write_bytes(flipped)
        with pytest.raises(RegistryError):
            verify_version(version)
        path.write_bytes(content)
    verify_version(version)


def test_verify_names_a_folder_that_the_server_would_mix_up(registry):
    (registry.root / "tiny" / "001").mkdir()
    with pytest.raises(RegistryError, match="'001' means the same"):
        verify_version(registry.resolve("tiny"))


def test_verify_names_aliases_that_mean_nothing(registry):
    registry.set_alias("tiny", "production", 1)
    verify_aliases(registry, "tiny")
    book = registry.root / "tiny" / BOOK
    book.write_text(book.read_text().replace('"production": 1', '"production": 9'))
    with pytest.raises(
        RegistryError, match=r"tiny@production .* Received: 9; known: 1"
    ):
        verify_aliases(registry, "tiny")
    book.write_text("{")
    with pytest.raises(RegistryError, match="must be JSON"):
        verify_aliases(registry, "tiny")
