import numpy as np
import pandas as pd

from defectkeras.core.calibration import Calibration
from defectkeras.quantification.objects import measure_objects
from defectkeras.quantification.places import measure_places
from defectkeras.quantification.quantify import QuantifySettings
from defectkeras.quantification.segments import CHORD_PX
from defectkeras.reporting.dictionary import MEANINGS, data_dictionary


def test_every_column_has_a_meaning_and_a_length_its_unit(measured):
    found = measured(settings=QuantifySettings(loop_classes=("void",)))
    labels = np.zeros((20, 33), np.int32)
    labels[3:7, 4:9] = 1
    grey = measure_objects(
        labels,
        calibration=Calibration(0.5),
        class_name="void",
        image=np.ones((20, 33), np.float32),
    )
    quantities = pd.DataFrame([q.to_dict() for q in found.quantities])
    quantities = quantities.drop(columns="parts")  # `analyze` writes a column each
    table = data_dictionary(
        {
            "objects.csv": found.objects,
            "lines.csv": found.lines,
            "segments.csv": found.segments,
            "traces.csv": found.traces,
            "distributions": found.distributions,
            "quantities.csv": quantities.assign(micrograph="a"),
            "with grey levels": grey,
        }
    )

    unknown = table[table["meaning"] == ""]
    assert unknown["column"].tolist() == []
    units = dict(zip(table["column"], table["unit"], strict=True))
    assert units["area_nm2"] == "nm²"
    assert units["orientation_deg"] == "°"
    assert units["aspect_ratio"] == ""


def test_places_count_all_objects_and_measure_in_px(measured, drawn_class_map):
    places = measure_places(measured(), drawn_class_map, simulations=9)
    tables = {"places.csv": places.statistics, "pairs.csv": places.curves}
    meanings = data_dictionary(tables).set_index("column")["meaning"]
    assert "of sizes: off the border" in meanings["count"]
    assert "r_nm" in places.curves  # beside r_px, so "the unit of r" says nothing
    assert all(meanings[name].endswith("in px") for name in ("l", "l_mean"))
    assert meanings["k"].endswith("in px^2")


def test_a_segment_names_the_line_of_traces_that_it_is_of(measured):
    found = measured()
    assert set(found.segments["line"]) == set(found.traces["line"])
    assert "traces.csv" in MEANINGS["line"]


def test_tortuosity_is_not_said_to_be_of_the_column_length():
    # The unbiased weights make a diagonal shorter than its chord, tortuosity 1.
    assert f"{CHORD_PX} px" in MEANINGS["tortuosity"]


def test_meanings_are_sorted():
    assert list(MEANINGS) == sorted(MEANINGS)
