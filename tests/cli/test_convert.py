"""A version for another engine, as a user asks for it."""

import json
import shutil

import pytest

pytestmark = pytest.mark.usefixtures("no_figures")


@pytest.fixture
def copied(tiny_registry, tmp_path):
    return shutil.copytree(tiny_registry, tmp_path / "registry")


def test_convert_and_compare(run, copied, synthetic_spec):
    words = ("registry", "convert", "tiny", "--to", "litert", "--registry", copied)
    assert "Would convert" in run(*words, "--dry-run").stderr
    assert not (copied / "tiny" / "conversions").exists()
    told = run(*words, "--spec", synthetic_spec, "--json")
    assert told.exit_code == 0, told.stderr
    assert "TensorSpec" not in told.stderr  # the converter lists all variables
    parity = json.loads(told.stdout)["parity"]
    assert [p["runtime"] for p in parity] == ["keras", "tensorflow", "litert"]
    assert max(p["largest_difference"] for p in parity) < 1e-4
    assert run(*words).exit_code == 1  # it is there
    words = ("benchmark", "runtimes", "tiny", synthetic_spec, "--registry", copied)
    table = run(*words)
    assert table.exit_code == 0, table.stderr
    lines = table.stdout.splitlines()
    engines = ["runtime", "keras", "tensorflow", "litert"]
    assert [line.split()[0] for line in lines] == engines
    shown = run("registry", "show", "tiny", "--json", "--registry", copied)
    assert "litert" in json.loads(shown.stdout)["conversions"]


def test_analyze_without_a_conversion_names_the_command(run, copied, tmp_path):
    (tmp_path / "field.png").write_bytes(b"")
    result = run(
        "analyze",
        tmp_path / "field.png",
        "--model",
        "tiny",
        "--runtime",
        "onnxruntime",
        "--out",
        tmp_path / "out",
        "--registry",
        copied,
    )
    assert result.exit_code == 1
    assert "registry convert tiny@1 --to onnx" in result.stderr
