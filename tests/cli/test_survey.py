"""A set measured, in text and in JSON."""

import json
import shutil

import tifffile


def test_set_is_measured(run, synthetic_spec):
    told = run("data", "fingerprint", synthetic_spec)
    assert told.exit_code == 0, told.output
    lines = [" ".join(line.split()) for line in told.stdout.splitlines()]
    assert "height 120 - 120 - 120 px" in lines
    assert "pixel size 1 - 1 - 1 nm" in lines
    assert any(line.startswith("dislocation line ") for line in lines)
    facts = json.loads(run("data", "fingerprint", synthetic_spec, "--json").stdout)
    assert facts["pixels"] == 4 * 120 * 152
    part = run("data", "fingerprint", synthetic_spec, "--split", "val", "--json")
    assert json.loads(part.stdout)["examples"] == 1


def test_pixel_sizes_that_are_not_known_are_told_as_that(run, synthetic_spec, tmp_path):
    folder = shutil.copytree(synthetic_spec.parent, tmp_path / "set")
    for path in (folder / "micrographs").iterdir():
        tifffile.imwrite(path, tifffile.imread(path))
    told = run("data", "fingerprint", folder / synthetic_spec.name)
    lines = [" ".join(line.split()) for line in told.stdout.splitlines()]
    assert "pixel size not known" in lines


def test_empty_split_is_told(run, synthetic_spec):
    result = run("data", "fingerprint", synthetic_spec, "--split", "test")
    assert result.exit_code == 1
    assert 'the split "test" must have a micrograph' in result.stderr
