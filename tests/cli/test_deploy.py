import json
import shutil


def test_files_are_written_once(run, tiny_registry, tmp_path):
    root = tmp_path / "saved_models"
    shutil.copytree(tiny_registry, root)
    words = ("deploy", "tf-serving", "--out", tmp_path / "out", "--registry", root)
    result = run(*words, "--dry-run", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["written"] is False
    assert 'name: "tiny"' in result.stderr
    assert not (tmp_path / "out").exists()
    assert not (root / "models.config").exists()

    result = run(*words, "--json")
    assert result.exit_code == 0, result.stderr
    files = json.loads(result.stdout)["files"]
    assert str(root / "models.config") in files
    assert (tmp_path / "out" / "docker-compose.yaml").exists()

    assert "--overwrite" in run(*words).stderr
    assert run(*words, "--overwrite").exit_code == 0
    result = run("registry", "alias", "tiny@1", "production", "--registry", root)
    assert result.exit_code == 0
    assert 'key: "production" value: 1' in (root / "models.config").read_text()


def test_an_empty_registry_is_told(run, tmp_path):
    result = run(
        "deploy", "tf-serving", "--out", tmp_path / "out", "--registry", tmp_path
    )
    assert result.exit_code == 1
    assert "must have a model. Those that come with" in result.stderr
