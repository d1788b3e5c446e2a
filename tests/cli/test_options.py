"""Shared options say the same everywhere."""

import json
import logging

import click
import pytest

from defectkeras.cli.main import main
from defectkeras.cli.options import (
    echo_json,
    parse_settings,
    talk,
    tell_notes,
)


def commands(group=main, path=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands())
TELLS_NOTHING = {"completion", "registry alias", "serve", "tensorboard"}
WRITES = {
    "analyze",
    "annotations convert",
    "compare",
    "data describe",
    "data init",
    "data synthesize",
    "deploy tf-serving",
    "evaluate",
    "plan",
    "pretrain",
    "quantify",
    "registry alias",
    "registry convert",
    "registry export",
    "registry import",
    "registry promote",
    "registry rollback",
    "registry tag",
    "train",
}


def flags(name):
    return {flag for p in COMMANDS[name].params for flag in p.opts}


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - TELLS_NOTHING))
def test_what_tells_has_json(name):
    assert "--json" in flags(name)


@pytest.mark.parametrize("name", sorted(WRITES))
def test_what_writes_has_a_dry_run(name):
    assert "--dry-run" in flags(name)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_has_help(name):
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


@pytest.mark.parametrize("value", ["0", "-1", "nan"])
def test_sizes_must_be_above_0(run, tmp_path, value):
    mask = tmp_path / "mask.png"
    mask.touch()
    result = run("quantify", mask, "--pixel-size-nm", value)
    assert result.exit_code != 0
    assert "Traceback" not in result.output


def test_data_to_stdout_and_talk_to_stderr(capsys):
    echo_json({"µm": 1})
    talk("done")
    out, err = capsys.readouterr()
    assert json.loads(out) == {"µm": 1}
    assert err == "done\n"


def test_model_settings_are_toml_or_text():
    words = ("encoder=resnet50", "rates=[6, 12]", "separable=true", "alpha=0.5", "x=")
    assert parse_settings(None, None, words) == {
        "encoder": "resnet50",
        "rates": [6, 12],
        "separable": True,
        "alpha": 0.5,
        "x": "",
    }
    with pytest.raises(click.BadParameter, match="must be KEY=VALUE"):
        parse_settings(None, None, ("encoder",))


def test_notes_of_the_package_are_told_for_a_while(capsys):
    logger = logging.getLogger("defectkeras.training.prepare")
    with tell_notes():
        logger.info("XLA is off: %s.", "because")
    logger.info("not told")
    assert capsys.readouterr().err == "XLA is off: because.\n"
