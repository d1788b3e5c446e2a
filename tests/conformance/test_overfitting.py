"""Every weight of every architecture learns, and all together fit one micrograph."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.losses import build_loss
from defectkeras.metrics import confusion_counts, score_counts

STEPS_BETWEEN_LOOKS = 20


def test_every_trainable_weight_has_a_gradient(case, draw_discs):
    """In inference: a bias before a normalization has none over the batch."""
    keras.utils.set_random_seed(3)
    model = case.build()
    image, class_map = draw_discs(*case.fit(64, 72))
    with tf.GradientTape() as tape:
        logits = model(image[None, :, :, None], training=False)
        loss = build_loss("ce", num_classes=3)(class_map[None], logits)
    gradients = tape.gradient(loss, [w.value for w in model.trainable_weights])
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        assert gradient is not None, weight.path
        assert np.isfinite(gradient).all(), weight.path
        assert np.any(np.asarray(gradient) != 0), weight.path


@pytest.mark.slow
def test_overfits_one_tiny_micrograph(overfitting, draw_discs, settle):
    case, num_classes = overfitting
    height, width = case.fit(64 * case.scale, 80 * case.scale)
    image, class_map = draw_discs(height, width, case.scale)
    class_map = np.minimum(class_map, 1) if num_classes == 1 else class_map
    batch = (image[None, :, :, None], class_map[None])

    def worst_iou(model):
        if not case.settled:
            settle(model, batch[0])
        logits = model(batch[0]).numpy()
        found = logits.argmax(axis=-1) if num_classes > 1 else logits[..., 0] > 0
        counts = confusion_counts(batch[1], found, num_classes=max(num_classes, 2))
        return score_counts(counts).iou.min()

    reached = []
    for seed in (1, 2, 3):  # some starts get stuck, and threads add in any order
        keras.utils.set_random_seed(seed)
        model = case.build((height, width, 1), num_classes=num_classes)
        optimizer, most_steps = case.optimizer
        optimizer.build(model.trainable_variables)  # else a step is traced twice
        model.compile(
            optimizer,
            build_loss("ce + dice", num_classes=num_classes),
            jit_compile=False,  # to compile takes longer than all the steps
        )
        for step in range(1, most_steps + 1):
            model.train_on_batch(*batch)
            if step % STEPS_BETWEEN_LOOKS == 0:
                reached.append(worst_iou(model))
                if reached[-1] > case.least_iou:
                    return
    pytest.fail(f"IoU must be above {case.least_iou}. Received: {reached}.")
