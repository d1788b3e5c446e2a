"""Networks made to classify images, as sources of feature maps."""

from defectkeras.models.encoders.build import build_encoder
from defectkeras.models.encoders.families import ENCODERS

__all__ = ["ENCODERS", "build_encoder"]
