"""Pipeline against step, as a user asks for it."""

import json

SETTINGS = (
    "architecture=patch_classifier",
    "model.patch_size=9",
    "model.filters=4",
    "patch_size=32",
    "batch_size=2",
    "epochs=1",
)
SMALL = tuple(word for setting in SETTINGS for word in ("--set", setting))


def test_input_is_compared_with_the_step(run, synthetic_spec):
    words = ("benchmark", "input", synthetic_spec, "--steps", 1, *SMALL)
    told = json.loads(run(*words, "--json").stdout)
    assert told["ratio"] > 0
    assert 0 <= told["waiting_fraction"] <= 1
    text = run(*words)
    assert text.exit_code == 0, text.output
    assert "times as fast (wanted: 5)" in text.stdout
    assert "Precision float32" in text.stderr


def test_slips_are_told(run, synthetic_spec):
    result = run("benchmark", "input", synthetic_spec, "--set", "batchsize=2")
    assert result.exit_code == 1
    assert "Did you mean 'batch_size'?" in result.stderr
