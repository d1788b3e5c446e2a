"""A drawn field with known objects, measured, for all tests of reporting."""

from collections.abc import Callable

import cv2
import numpy as np
import pandas as pd
import pytest

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification.comparison import (
    Annotator,
    Comparison,
    summarize_fields,
)
from defectkeras.quantification.field_agreement import Rating, agree_on_field
from defectkeras.quantification.places import Places
from defectkeras.quantification.quantify import QuantifySettings, quantify
from defectkeras.quantification.results import Quantification
from defectkeras.reporting.micrograph_figures import micrograph_figures
from defectkeras.reporting.pictures import make_pictures
from defectkeras.reporting.results import MicrographReport, ModelFacts, RunFacts
from defectkeras.reporting.vector import draw_svg

SCHEME = LabelScheme(
    (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "dislocation", "line"),
        DefectClass(2, "void", "region"),
    )
)
HEIGHT, WIDTH = 240, 400
NO_PLACES = Places(*[pd.DataFrame(columns=["statistic"])] * 3)
CALIBRATED = Calibration(0.5, 100.0, "file tag 34682", "user")


def draw_class_map(num_voids: int = 24, *, seed: int = 0) -> np.ndarray:
    """Discs of 5 to 9 px radius on a grid, and two lines."""
    rng = np.random.default_rng(seed)
    class_map = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    cv2.line(class_map, (0, 120), (WIDTH, 132), 1, thickness=3)
    cv2.line(class_map, (30, 230), (380, 215), 1, thickness=3)
    for i in range(num_voids):
        row, column = 30 + 60 * (i // 8), 25 + 50 * (i % 8)
        cv2.circle(class_map, (column, row), int(rng.integers(5, 10)), 2, -1)
    return class_map.astype(np.int32)


def draw_image(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((HEIGHT, WIDTH), dtype=np.float32)


@pytest.fixture(scope="session")
def figures_of() -> Callable[[Quantification], dict[str, str]]:
    """Give a function that draws the figures of a micrograph as SVG documents."""

    def draw(quantification: Quantification) -> dict[str, str]:
        figures = micrograph_figures(quantification)
        return {f.name: draw_svg(f.figure, f.label) for f in figures}

    return draw


@pytest.fixture
def measured() -> Callable[..., Quantification]:
    """Give the quantification of the drawn field."""

    def measure(
        calibration: Calibration = CALIBRATED,
        *,
        settings: QuantifySettings | None = None,
        **drawing: int,
    ) -> Quantification:
        class_map = draw_class_map(**drawing)
        return quantify(class_map, SCHEME, calibration, settings=settings)

    return measure


@pytest.fixture
def drawn_class_map() -> np.ndarray:
    return draw_class_map()


@pytest.fixture(scope="session")
def drawn_figures(
    figures_of: Callable[[Quantification], dict[str, str]],
) -> dict[str, str]:
    """Give the figures of the drawn field."""
    return figures_of(quantify(draw_class_map(), SCHEME, CALIBRATED))


@pytest.fixture
def reported(
    measured: Callable[..., Quantification], drawn_figures: dict[str, str]
) -> Callable[..., MicrographReport]:
    """Give the report of the drawn field."""

    def report(name: str = "field", **changes: object) -> MicrographReport:
        calibration = changes.pop("calibration", CALIBRATED)
        drawing = {k: changes.pop(k) for k in ("num_voids", "seed") if k in changes}
        quantification = measured(calibration, **drawing)
        pictures = make_pictures(
            draw_image(), draw_class_map(**drawing), SCHEME, calibration=calibration
        )
        arguments = {
            "quantification": quantification,
            "places": NO_PLACES,
            "pictures": pictures,
            "figures": drawn_figures,
        }
        return MicrographReport(name=name, **(arguments | changes))

    return report


@pytest.fixture
def run_facts() -> RunFacts:
    return RunFacts(
        created="2026-08-27T09:30:00+00:00",
        software={"defectkeras": "0.1.0", "numpy": "2.4.0"},
        model=ModelFacts(
            name="voids",
            version=3,
            sha256="0123456789abcdef" * 4,
            architecture="defectsegnet",
            license="Apache-2.0",
            limits="Knows no loops.",
            pixel_size_range_nm=(0.4, 0.8),
        ),
        settings={"segment": {"tile_size": 512, "augment": False}, "frame": None},
        command="defectkeras analyze fields --model voids@3",
    )


@pytest.fixture
def empty() -> Quantification:
    """Give the quantification of a field in which nothing was found."""
    class_map = np.zeros((HEIGHT, WIDTH), dtype=np.int32)
    class_map[:10] = NOT_ANNOTATED
    return quantify(class_map, SCHEME, CALIBRATED)


@pytest.fixture
def compared() -> Callable[..., Comparison]:
    """Give a comparison of two people and a model over some drawn fields."""

    def compare(
        labels: tuple[str, str, str] = ("anna", "ben", "net@1"), num_fields: int = 7
    ) -> Comparison:
        annotators = [Annotator(n, n == labels[2], "somewhere") for n in labels]
        fields = []
        for number in range(num_fields):
            ratings = {}
            for shift, annotator in enumerate(annotators):
                drawn = draw_class_map(8 + 2 * shift + number % 3, seed=number)
                found = quantify(drawn, SCHEME, CALIBRATED)
                ratings[annotator.label] = Rating(drawn, found)
            field = agree_on_field(f"f{number}", ratings, SCHEME, min_iou=0.5)
            fields.append(field)
        return summarize_fields(
            fields, annotators, SCHEME, min_iou=0.5, notes=["Look here."]
        )

    return compare
