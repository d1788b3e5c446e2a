"""Keras layers that several networks use and Keras does not have.

Importing this package registers all of them, so that saved models load.
"""

from defectkeras.models.layers.padding import SymmetricPadding2D

__all__ = ["SymmetricPadding2D"]
