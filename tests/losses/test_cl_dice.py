"""Soft-clDice against worked values and SciPy's morphology."""

import numpy as np
import pytest
from scipy import ndimage

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.losses import SoftClDice
from defectkeras.losses.cl_dice import soft_skeleton


def canvas(*parts):
    mask = np.zeros((1, 7, 9), int)
    for part in parts:
        mask[(0, *part)] = 1
    return mask


BAR = canvas(np.s_[2:5, 1:8])
LINE = canvas(np.s_[3, 1:8])


def hard(mask):
    return np.where(mask, 99.0, -99.0)[..., None]


def test_skeleton_of_a_bar():
    known = np.ones((1, 7, 9, 1), "float32")
    skeleton = soft_skeleton(BAR[..., None].astype("float32"), known, 5)
    np.testing.assert_array_equal(skeleton[..., 0], canvas(np.s_[3, 2:7]))


@pytest.mark.parametrize(
    ("truth", "predicted", "expected"),
    [
        (BAR, BAR, 0.0),
        (BAR, np.where(np.arange(9) == 4, 0, BAR), 1 / 11),
        (LINE, np.roll(LINE, 1, axis=1), 0.875),
        (LINE, BAR, 0.0),  # blind for thickness
    ],
)
def test_worked_values(truth, predicted, expected):
    loss = SoftClDice(classes=1, iterations=5)
    assert float(loss(truth, hard(predicted))) == pytest.approx(expected, abs=1e-6)


def slow_skeleton(image, known, iterations):
    """Skeletonize (H, W) with the filters of SciPy."""

    def erode(x):
        x = np.where(known, x, np.inf)
        row, column = (
            ndimage.minimum_filter(x, size, mode="constant", cval=np.inf)
            for size in ((3, 1), (1, 3))
        )
        return np.minimum(row, column)

    def remainder(x):
        eroded = np.where(known, erode(x), -np.inf)
        opened = ndimage.maximum_filter(eroded, 3, mode="constant", cval=-np.inf)
        return np.where(known, np.maximum(x - opened, 0), 0)

    skeleton = remainder(image)
    for _ in range(iterations):
        image = erode(image)
        more = remainder(image)
        skeleton = skeleton + np.maximum(more - skeleton * more, 0)
    return skeleton


@pytest.mark.parametrize(("num_classes", "classes"), [(1, [1]), (4, [1, 3])])
def test_equals_scipy(random_batch, probabilities, num_classes, classes):
    class_map, logits = random_batch(3, num_classes, (2, 11, 13))
    class_map = ndimage.grey_dilation(class_map, (1, 3, 3))
    class_map[:, 4:6, 2:5] = NOT_ANNOTATED
    known, p, losses = class_map != NOT_ANNOTATED, probabilities(logits), []
    for k in classes:
        lines, true_lines = (
            np.stack([slow_skeleton(i, a, 3) for i, a in zip(x, known, strict=True)])
            for x in (p[..., k], (class_map == k).astype(float))
        )
        tp = ((lines * (class_map == k)).sum() + 1) / (lines.sum() + 1)
        ts = ((true_lines * p[..., k]).sum() + 1) / (true_lines.sum() + 1)
        losses.append(1 - 2 * tp * ts / (tp + ts))
    value = float(SoftClDice(classes, iterations=3)(class_map, logits))
    assert value == pytest.approx(np.mean(losses), rel=1e-5)


def test_line_that_leaves_the_image_keeps_its_end():
    image = np.zeros((1, 7, 9, 1), "float32")
    image[:, 2:5, :5] = 1
    skeleton = soft_skeleton(image, np.ones_like(image), 3)[0, ..., 0]
    np.testing.assert_array_equal(skeleton[3, :5], [1, 1, 1, 1, 0])


def test_slips_are_told(random_batch):
    for classes in ([], [0], [1, -1]):
        with pytest.raises(ValueError, match="`classes` must be"):
            SoftClDice(classes)
    for iterations in (0, 1.5):
        with pytest.raises(ValueError, match="whole number from 1"):
            SoftClDice(1, iterations)
    with pytest.raises(ValueError, match="from 1 to 2"):
        SoftClDice(3)(*random_batch(0, 3))
