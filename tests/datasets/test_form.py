import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from defectkeras.core.errors import DatasetError
from defectkeras.core.labels import DefectClass
from defectkeras.datasets.form import SourceForm, SplitForm, read_form


def test_a_form_is_read_key_by_key(tmp_path, write_spec):
    form = read_form(write_spec(tmp_path))
    assert form.name == "drawn"
    assert form.root == "."
    assert form.fingerprint is None
    assert form.classes[2] == DefectClass(2, "line", "line")
    assert form.scheme.num_classes == 3
    assert form.sources == (SourceForm("tem", "images/*.png", "masks/{stem}.png"),)
    assert form.split == SplitForm(train=("a", "b"), val=("c",))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"license =": "licence ="}, "unknown key 'licence'. Did you mean 'license'"),
        ({'name = "drawn"\n': ""}, "missing key 'name'"),
        ({"schema = 1\n": ""}, "missing key 'schema'"),
        ({"schema = 1": "schema = 2"}, "`schema` must be 1.*Received: 2"),
        ({"schema = 1": 'schema = "1"'}, "`schema` must be 1"),
        ({'kind = "line"': 'kind = "lines"'}, "Did you mean 'line'"),
        ({"index = 2": "index = 3"}, r"\[\[classes\]\]: .*0, 1, 2"),
        ({"[[sources]]": "[[origins]]"}, "unknown key 'origins'"),
        ({"[[sources]]": "[sources]"}, "sources: must be an array"),
        ({"micrographs =": "micrograph ="}, r"sources\[0\]: unknown key 'micrograph'"),
        ({'"masks/{stem}.png"': "3"}, r"sources\[0\] annotations: .*type str"),
        ({'["c"]': '"c"'}, "split val: must be an array"),
        ({"[split]": '[split]\nby = "patch"'}, "split by: unknown 'patch'"),
        ({"[split]": "[split]\nfractions = [1.0]"}, "must have 3 entries"),
        ({"[split]": "[split"}, "must be TOML"),
    ],
)
def test_a_slip_is_named_with_the_file(tmp_path, write_spec, changes, message):
    path = write_spec(tmp_path, changes)
    with pytest.raises(DatasetError, match=message) as caught:
        read_form(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_form_without_sources_is_refused(tmp_path, write_spec):
    path = write_spec(tmp_path)
    head, tail = path.read_text().split("[[sources]]")
    path.write_text(f"sources = []\n{head}[split]{tail.split('[split]')[1]}")
    with pytest.raises(DatasetError, match="at least one"):
        read_form(path)


def test_what_is_no_text_file_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="No such file"):
        read_form(tmp_path / "absent.toml")
    with pytest.raises(DatasetError, match=r"a folder\. docs/data_specs\.md tells"):
        read_form(tmp_path)
    (tmp_path / "steel.toml").touch()
    with pytest.raises(DatasetError, match=r"Did you mean .*/steel\.toml\?"):
        read_form(tmp_path)


def test_a_byte_order_mark_of_an_editor_does_no_harm(tmp_path, write_spec):
    path = write_spec(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_form(path).name == "drawn"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00",
        b"a = " + b"[" * 100_000,
        b"a = " + b"1" * 5000,
        b'schema = 1\nname = "\\u0000"',
    ],
)
def test_strange_contents_are_our_error(tmp_path, content):
    path = tmp_path / "spec.toml"
    path.write_bytes(content)
    with pytest.raises(DatasetError):
        read_form(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_damaged_spec_is_read_or_our_error(tmp_path, write_spec, data):
    path = write_spec(tmp_path)
    text = path.read_text()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    path.write_text(text[:start] + data.draw(st.text(max_size=6)) + text[end:])
    try:
        form = read_form(path)
    except DatasetError as error:
        message = str(error)
    else:
        message = ""
        assert form.scheme.num_classes == len(form.classes)
    assert "\n" not in message
