import pytest
from hypothesis import given
from hypothesis import strategies as st

from defectkeras.core.errors import RegistryError
from defectkeras.registry.names import (
    ModelReference,
    parse_reference,
    parse_served_version,
    parse_version,
    require_alias,
    require_name,
)

TRICKS = [
    *(
        "",
        ".",
        "..",
        "a/b",
        "a\\b",
        "/abs",
        "C:x",
        "a\0b",
        "\uff052e\uff052e",
        "%2e%2e",
    ),
    *("a" * 65, "\u202eabc", "Void", "vöid", "-a", "_a", "saved_model.pb", "12"),
    *("a b", "a\n", " a", "a@b", "\uff56oid", ".hidden"),
]


@pytest.mark.parametrize("name", TRICKS)
def test_tricky_names_are_refused(name):
    with pytest.raises(RegistryError, match="must begin with a lower-case letter"):
        require_name(name)
    with pytest.raises(RegistryError, match="must begin with a lower-case letter"):
        require_alias(name)


def test_plain_names_are_taken():
    assert require_name("a" * 64) == "a" * 64
    assert require_name("dci-stem_2") == "dci-stem_2"


def test_alias_keeps_to_the_alphabet_of_serving_labels():
    assert require_alias("best_2") == "best_2"
    with pytest.raises(RegistryError):
        require_alias("best-2")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("voids", ModelReference("voids")),
        ("voids@12", ModelReference("voids", version=12)),
        ("voids@production", ModelReference("voids", alias="production")),
    ],
)
def test_reference(text, expected):
    assert parse_reference(text) == expected


@pytest.mark.parametrize(
    "text", ["voids@", "voids@0", "voids@-1", "voids@1.5", "voids@1@2", "@3", "a/b@1"]
)
def test_bad_reference_is_refused(text):
    with pytest.raises(RegistryError):
        parse_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "012",
        "+12",
        " 12",
        "12 ",
        "1_0",
        "\uff11\uff12",
        "12.tmp",
        "9" * 19,
        "12\n",
    ],
)
def test_only_plain_numbers_are_versions(text):
    assert parse_version(text) is None


@given(st.integers(1, 10**18 - 1))
def test_version_round_trip(number):
    assert parse_version(str(number)) == number == parse_served_version(str(number))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0012", 12),
        ("+12", 12),
        (" 12\n", 12),
        ("-3", -3),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", None),
        ("9" * 5000, None),
        ("\uff11\uff12", None),
        ("0.1", None),
        ("v3", None),
        ("", None),
        (".staging-7", None),
    ],
)
def test_number_that_the_server_reads(text, number):
    assert parse_served_version(text) == number


def test_reference_is_found_among_versions():
    known = ((1, 3), {"production": 3})
    assert ModelReference("voids").find(*known) == 3
    assert ModelReference("voids", version=1).find(*known) == 1
    with pytest.raises(RegistryError, match=r"voids has no version 2. Known: 1, 3\."):
        ModelReference("voids", version=2).find(*known)
    with pytest.raises(RegistryError, match=r"no alias 'prodution'.*'production'"):
        ModelReference("voids", alias="prodution").find(*known)
