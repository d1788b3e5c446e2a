"""The public surface: sorted, complete, documented, quick to import."""

import inspect
import subprocess
import sys

import pytest

import defectkeras


def test_public_names_are_sorted_and_have_a_home():
    assert sorted(defectkeras.__all__) == defectkeras.__all__
    assert set(defectkeras._HOMES) == set(defectkeras.__all__)
    assert dir(defectkeras) == defectkeras.__all__


@pytest.mark.parametrize("name", defectkeras.__all__)
def test_public_name_is_documented(name):
    text = inspect.getdoc(getattr(defectkeras, name))
    assert text
    assert text.splitlines()[0].endswith(".")


def test_packages_are_reached_from_the_root():
    model = defectkeras.models.build_model("defectsegnet", num_classes=1)
    assert model.output_shape == (None, None, None, 1)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'read_micrographs'"):
        defectkeras.read_micrographs  # noqa: B018


def test_import_needs_no_tensorflow():
    code = (
        "import sys, defectkeras; defectkeras.read_micrograph; defectkeras.quantify; "
        "defectkeras.predict_micrograph; defectkeras.synthesize; "
        "defectkeras.ModelRegistry; sys.exit('tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
