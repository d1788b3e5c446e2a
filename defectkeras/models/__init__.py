"""Stage 4, the networks that segment an image.

Takes the shape of an image and a number of classes; gives an uncompiled
functional `keras.Model` from (B, H, W, C) to logits (B, H, W, K) float32;
may import: core.
"""

from defectkeras.models.build import MODEL_BUILDERS, build_model
from defectkeras.models.defect_seg_net import build_defect_seg_net

__all__ = ["MODEL_BUILDERS", "build_defect_seg_net", "build_model"]
