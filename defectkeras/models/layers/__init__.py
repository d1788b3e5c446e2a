"""Keras layers that several networks use and Keras does not have.

Importing this package registers all of them, so that saved models load.
"""

from defectkeras.models.layers.adaptive_pooling import AdaptiveAveragePooling2D
from defectkeras.models.layers.atrous_pooling import AtrousMaxPooling2D
from defectkeras.models.layers.compact_bilinear import (
    CompactBilinearPooling2D,
    DescriptorNormalization,
)
from defectkeras.models.layers.diagonal import DiagonalConv2DTranspose
from defectkeras.models.layers.dropout import MonteCarloDropout
from defectkeras.models.layers.icnr import ICNR
from defectkeras.models.layers.mean_probability import MeanProbability
from defectkeras.models.layers.padding import SymmetricPadding2D
from defectkeras.models.layers.pooling import DilatedMaxPooling2D
from defectkeras.models.layers.response_normalization import LocalResponseNormalization
from defectkeras.models.layers.unpooling import MaxPoolingWithIndices, MaxUnpooling2D
from defectkeras.models.layers.upsampling import (
    BedOfNails2D,
    BilinearUpsampling2D,
    DepthToSpace2D,
    ResizeLike,
)

__all__ = [
    "ICNR",
    "AdaptiveAveragePooling2D",
    "AtrousMaxPooling2D",
    "BedOfNails2D",
    "BilinearUpsampling2D",
    "CompactBilinearPooling2D",
    "DepthToSpace2D",
    "DescriptorNormalization",
    "DiagonalConv2DTranspose",
    "DilatedMaxPooling2D",
    "LocalResponseNormalization",
    "MaxPoolingWithIndices",
    "MaxUnpooling2D",
    "MeanProbability",
    "MonteCarloDropout",
    "ResizeLike",
    "SymmetricPadding2D",
]
