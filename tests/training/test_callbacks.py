import math

import numpy as np

from defectkeras.metrics import score_counts
from defectkeras.training.callbacks import scores_for_log
from defectkeras.training.validation import Validation


def test_scores_have_names_and_nan_where_a_class_is_absent(scheme):
    counts = np.array([[80, 5, 0], [4, 11, 0], [0, 0, 0]])
    validation = Validation(counts, score_counts(counts), np.zeros((2, 3), np.int32))
    logs = scores_for_log(validation, scheme)
    assert logs["val_iou_void"] == 11 / 20
    assert logs["val_precision_void"] == 11 / 16
    assert logs["val_recall_void"] == 11 / 15
    assert logs["val_pixel_accuracy"] == 0.91
    assert logs["val_mean_defect_iou"] == 11 / 20  # over the classes that are there
    assert math.isnan(logs["val_iou_dislocation"])
    assert len(logs) == 2 + 3 * 4
