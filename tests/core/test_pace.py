from defectkeras.core import pace
from defectkeras.core.pace import now_and_then


def test_a_line_is_said_when_the_one_before_is_old_enough(monkeypatch):
    now_s, said = 100.0, []
    monkeypatch.setattr(pace.time, "monotonic", lambda: now_s)
    say = now_and_then(said.append)
    for after_s in (59.0, 61.0, 62.0, 120.0, 122.0):
        now_s = 100.0 + after_s
        say(f"{after_s:g} s")
    assert said == ["61 s", "122 s"]
