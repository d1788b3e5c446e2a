"""Scores for people: complete, readable in a pipe, and safe from markup."""

from defectkeras.cli.score_tables import show_scores

ROW = {
    "class_name": "void [red]",
    **dict.fromkeys(["iou", "precision", "recall", "f1"], 0.5),
    "boundary_f1": 0.75,
    "object_f1": None,
    "calibration_error": 0.0125,
}
SCORES = {
    "model": "m@1",
    "dataset": "set",
    "split": "val",
    "micrographs": ["a"],
    "mean_iou_over_images": {"matrix": 1.0, "void [red]": None},
    "classes": {"matrix": ROW | {"class_name": "matrix"}, "void [red]": ROW},
    "pixels_pooled": dict.fromkeys(
        [
            *("pixel_accuracy", "mean_iou", "mean_defect_iou"),
            *("micro_iou", "micro_defect_iou"),
        ],
        0.25,
    ),
    "calibration_error": 0.125,
    "tolerance_px": 2.0,
    "object_rule": "one to one",
    "per_micrograph": [
        {"micrograph": "a", "classes": {"matrix": ROW, "void [red]": ROW}}
    ],
    "quantities": [
        {
            "class_name": "void",
            "name": "dislocation_density_intercepts_per_m2",
            "micrographs": 3,
            "mean_error_percent": -12.5,
            "mean_absolute_error_percent": 20.0,
        },
        {"class_name": "void", "name": "swelling", "mean_error_percent": None},
    ],
    "sizes": [],
}


def test_tables_hold_what_they_are_given(capsys):
    show_scores(SCORES)
    shown = capsys.readouterr().out
    assert shown.startswith("m@1 on set val, 1 micrograph")
    for text in (
        "void [red]",
        "0.750",
        "0.013",
        " -12.5 ",
        " 20.0 ",
        "dislocation_density_intercepts_per_m2",
    ):
        assert text in shown
    assert "swelling" not in shown
    assert "Size distributions" not in shown  # there are none
    assert "within 2 px" in shown
