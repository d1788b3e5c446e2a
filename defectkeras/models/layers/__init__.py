"""Keras layers that several networks use and Keras does not have.

Importing this package registers all of them, so that saved models load.
"""

from defectkeras.models.layers.diagonal import DiagonalConv2DTranspose
from defectkeras.models.layers.icnr import ICNR
from defectkeras.models.layers.padding import SymmetricPadding2D
from defectkeras.models.layers.pooling import DilatedMaxPooling2D
from defectkeras.models.layers.unpooling import MaxPoolingWithIndices, MaxUnpooling2D
from defectkeras.models.layers.upsampling import (
    BedOfNails2D,
    BilinearUpsampling2D,
    DepthToSpace2D,
    ResizeLike,
)

__all__ = [
    "ICNR",
    "BedOfNails2D",
    "BilinearUpsampling2D",
    "DepthToSpace2D",
    "DiagonalConv2DTranspose",
    "DilatedMaxPooling2D",
    "MaxPoolingWithIndices",
    "MaxUnpooling2D",
    "ResizeLike",
    "SymmetricPadding2D",
]
