"""What a damaged version is told to be."""

import pytest

from defectkeras.core.errors import RegistryError
from defectkeras.registry.verify import verify_version


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
