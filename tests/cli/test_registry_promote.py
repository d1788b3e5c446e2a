"""Promotion through a gate and back, as a user calls them."""


def test_promote_and_roll_back(run, ask, two):
    dry = run("registry", "promote", "tiny@1", "--dry-run", "--registry", two)
    assert "Would let production mean tiny@1, without a gate." in dry.stderr
    for version in (1, 2):
        words = ("promote", f"tiny@{version}", "--json", "--registry", two)
        assert ask(*words)["passed"] is True
    words = ("registry", "rollback", "tiny", "--registry", two)
    assert "Would: tiny@production: 2 -> 1" in run(*words, "--dry-run").stderr
    result = run(*words, "--why", "worse")
    assert "tiny@production: 2 -> 1" in result.stderr
    moves = ask("history", "tiny", "--json", "--registry", two)
    assert [m["to_version"] for m in moves] == [1, 2, 1]
    assert moves[-1]["why"] == "worse"
    told = run("registry", "history", "tiny", "--registry", two).stdout
    assert "nothing -> 1" in told
    assert "rollback worse" in told
    assert run(*words).exit_code == 1


def test_gate_refuses_with_exit_status_1(run, two, synthetic_spec):
    result = run(
        "registry",
        "promote",
        "tiny@2",
        "--gate",
        synthetic_spec,
        "--split",
        "val",
        "--rule",
        "least_iou=0.99",
        "--registry",
        two,
    )
    assert result.exit_code == 1
    assert "NOT  least mean IoU 0.99" in result.stderr
    assert "was refused against nothing; production was not moved" in result.stderr


def test_rule_without_a_gate_is_wrong_usage(run, two):
    words = ("registry", "promote", "tiny", "--rule", "least_iou=0", "--registry", two)
    assert run(*words).exit_code == 2
