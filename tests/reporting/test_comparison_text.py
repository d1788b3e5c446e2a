from defectkeras.reporting.comparison_text import comparison_lines


def test_the_terminal_shows_counts_agreement_and_spread(compared):
    lines = list(comparison_lines(compared()))

    assert lines[0] == "7 fields that all have annotated"
    text = "\n".join(lines)
    for part in ("anna, count", "Pixel IoU", "Fleiss", "Limits of agreement", "within"):
        assert part in text


def test_too_few_fields_are_told(compared):
    lines = list(comparison_lines(compared(num_fields=1)))

    assert lines[0] == "1 field that all have annotated"
    assert "no test: too few fields: 1, at least 6 are needed for p < 0.05" in lines
