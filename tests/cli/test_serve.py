import json
import signal
import subprocess
import sys

import pytest
import requests


def test_dry_run_names_what_would_be_served(run, tiny_registry):
    result = run("serve", "--dry-run", "--registry", tiny_registry)
    assert result.exit_code == 0
    assert "Would serve tiny at 127.0.0.1." in result.stderr


def test_a_registry_without_models_is_told(run, tmp_path):
    result = run("serve", "--dry-run", "--registry", tmp_path)
    assert result.exit_code == 0
    assert "There is no model in" in result.stderr
    result = run("serve", "--dry-run", "--registry", tmp_path / "nowhere")
    assert result.exit_code == 1
    assert "The registry must be a folder" in result.stderr


def test_an_open_server_needs_protection(run, tiny_registry):
    for dry_run in ((), ("--dry-run",)):
        words = ("--host", "0.0.0.0", "--registry", tiny_registry)
        result = run("serve", *words, *dry_run)
        assert result.exit_code == 1
        assert "must have a token or TLS" in result.stderr


@pytest.mark.slow
def test_it_serves_until_it_is_told_to_end(tiny_registry):
    words = "defectkeras serve --json --port 0 --grpc-port 0 --registry"
    command = [sys.executable, "-m", *words.split(), str(tiny_registry)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        lines = []
        while (line := process.stdout.readline()) != "}\n":
            assert line, process.stderr.read()
            lines.append(line)
        address = json.loads("".join([*lines, "}"]))
        reply = requests.get(f"{address['rest']}/v1/models/tiny", timeout=60)
        assert reply.ok
        assert "Drop a micrograph" in requests.get(address["rest"], timeout=60).text
        process.send_signal(signal.SIGINT)
        _, talk = process.communicate(timeout=120)
    assert process.returncode == 130, talk
    assert "requests on their way are answered first" in talk
