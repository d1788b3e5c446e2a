"""Stage 4, what training minimizes, over the annotated pixels only.

Takes class maps (B, H, W) and logits (B, H, W, K); gives one number, float32
under every mixed-precision policy; may import: core.

With K = 1 the logits are those of one defect (sigmoid; the class map holds 0 and
1), with K >= 2 those of K classes (softmax). Pixels that are `NOT_ANNOTATED` count
nowhere; a batch without an annotated pixel gives 0. The losses are ours and not
those of Keras, which know no such pixels. Importing this package registers all of
them, so that saved models load.
"""

from defectkeras.losses.boundary import Boundary
from defectkeras.losses.cl_dice import SoftClDice
from defectkeras.losses.class_weights import median_frequency_weights
from defectkeras.losses.cross_entropy import CrossEntropy
from defectkeras.losses.dice import SoftDice
from defectkeras.losses.expression import build_loss, read_expression
from defectkeras.losses.focal import Focal, sigmoid_focal_cross_entropy
from defectkeras.losses.loss_sum import LossSum
from defectkeras.losses.lovasz import LovaszHinge, LovaszSoftmax
from defectkeras.losses.segmentation_loss import SegmentationLoss
from defectkeras.losses.tversky import FocalTversky, Tversky

__all__ = [
    "Boundary",
    "CrossEntropy",
    "Focal",
    "FocalTversky",
    "LossSum",
    "LovaszHinge",
    "LovaszSoftmax",
    "SegmentationLoss",
    "SoftClDice",
    "SoftDice",
    "Tversky",
    "build_loss",
    "median_frequency_weights",
    "read_expression",
    "sigmoid_focal_cross_entropy",
]
