"""The doctor's word, for people and for programs."""

import json


def test_doctor(run, tmp_path):
    result = run("doctor", "--registry", tmp_path)
    assert result.exit_code == 0, result.output
    assert "tensorflow" in result.stdout
    assert "precision" in result.stdout
    facts = json.loads(run("doctor", "--json", "--registry", tmp_path).stdout)
    assert facts["registry"]["root"] == str(tmp_path)


def test_doctor_names_the_extras_of_readers_that_are_missing(
    run, tmp_path, monkeypatch
):
    monkeypatch.setattr("defectkeras.micrographs.read.has_zarr", lambda: False)
    result = run("doctor", "--registry", tmp_path)
    assert "defectkeras[formats,montages]" in result.stderr
