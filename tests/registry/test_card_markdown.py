from defectkeras.registry.card_markdown import card_markdown


def test_page_tells_everything_once(make_card):
    page = card_markdown(make_card(thresholds={"void": 0.3}, parent="tiny@4"))
    assert page.startswith("# tiny\n\nFinds dislocations and voids")
    for line in (
        "| pixel size | 0.5 to 2 nm |",
        "| 2 | void | region | 0.3 |",
        "| 1 | dislocation | line | most probable |",
        "| val / iou / void | 0.75 |",
        "| learning_rate | 0.001 |",
        '| train | ["a", "b"] |',
        "Trained from tiny@4.",
    ):
        assert line in page.splitlines()


def test_unknown_pixel_size_is_said(make_card):
    assert "| pixel size | not known |" in card_markdown(
        make_card(pixel_size_range_nm=None)
    )


def test_receptive_field_without_a_border_is_said(make_card):
    page = card_markdown(make_card(receptive_field_px=None))
    assert "| receptive field | the whole tile |" in page.splitlines()


def test_cell_cannot_break_its_table(make_card):
    page = card_markdown(make_card(environment={"device": "a | b\n<script>"}))
    assert "| device | a \\| b &lt;script> |" in page


def test_statistics_of_the_training_micrographs_are_told_in_short(make_card):
    known = {"texture": {"mean": [0.0], "limit": 2.5, "left_out": 12}}
    page = card_markdown(make_card(applicability=known, augment=True)).splitlines()
    assert "| texture | 2.5 | 12 left out in turn |" in page
    assert "| views | mean over eight |" in page
    known["texture"]["left_out"] = 1
    assert "| quarters of one, which cannot" in card_markdown(
        make_card(applicability=known)
    )
    assert any(
        "it cannot warn" in line for line in card_markdown(make_card()).split("\n")
    )


def test_conversions_are_told_with_their_parity(make_card):
    parity = {"onnxruntime": {"largest_difference": 2.5e-7, "split": "val"}}
    record = {"made_by": {"tf2onnx": "1.17"}, "files": {"model.onnx": "0"}}
    conversions = {"onnx": {**record, "parity": parity}, "litert": record}
    lines = card_markdown(make_card(), conversions).splitlines()
    assert "## Conversions" in lines
    assert "| onnx / parity / onnxruntime / largest_difference | 2.5e-07 |" in lines
    assert "| litert / made_by / tf2onnx | 1.17 |" in lines
    assert "model.onnx" not in "".join(lines)
    assert "## Conversions" not in card_markdown(make_card())


def test_decisions_of_the_gate_are_told_with_their_figures(make_card):
    checks = [
        {"rule": "IoU of void at least", "limit": 0.5, "candidate": 0.6, "holds": True},
        {"rule": "seconds at most", "limit": 2.0, "candidate": None, "holds": False},
    ]
    record = {
        "when": "2026-01-02T03:04:05+00:00",
        "alias": "production",
        "passed": False,
        "dataset": "drawn",
        "split": "val",
        "checks": checks,
        "score_sheets": [{"reference": "tiny@2"}, {"reference": "tiny@1"}],
    }
    lines = card_markdown(make_card(), decisions={"a.json": record}).splitlines()
    assert "## Gate to production: refused" in lines
    assert "on the val split of drawn, against tiny@1 (gates/a.json)" in "".join(lines)
    assert "| IoU of void at least | 0.5 | 0.6 | yes |" in lines
    assert "| seconds at most | 2 | none | no |" in lines


def test_folds_have_a_line_for_each_score(make_card):
    metrics = {"folds": [{"iou": 0.5, "f1": 0.7}, {"iou": 0.25, "f1": None}]}
    lines = card_markdown(make_card(metrics=metrics)).splitlines()
    assert "| folds / iou | [0.5, 0.25] |" in lines
    assert "| folds / f1 | [0.7, null] |" in lines
