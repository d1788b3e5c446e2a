"""A random forest on filter features, the pixel classifier of Weka and ilastik."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.feature import multiscale_basic_features
from sklearn.ensemble import RandomForestClassifier

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap, Image
from defectkeras.core.errors import TrainingError

MIN_SIGMA_PX = 0.5
MAX_SIGMA_PX = 16.0
NUM_FEATURES = 24
MIN_SAMPLES_LEAF = 5  # smaller trees, which are quicker to ask


@dataclass(frozen=True, eq=False)
class RandomForest:
    """A fitted forest; called, it is a `PredictFn`.

    Attributes:
        classifier: Knows the classes that the examples had.
        num_classes: K, the matrix among them.
    """

    classifier: RandomForestClassifier
    num_classes: int

    def __call__(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn tiles (N, T, T, 1) into probabilities (N, T, T, K)."""
        probabilities = np.zeros((*tiles.shape[:3], self.num_classes), np.float32)
        for tile, result in zip(tiles, probabilities, strict=True):
            features = filter_features(tile[..., 0])
            votes = self.classifier.predict_proba(
                features.reshape(-1, features.shape[-1])
            )
            result[..., self.classifier.classes_] = votes.reshape(*tile.shape[:2], -1)
        return probabilities


def fit_random_forest(
    examples: Iterable[tuple[Image, ClassMap]],
    *,
    num_classes: int,
    seed: int = 0,
    pixels_per_class: int = 1000,
    num_trees: int = 100,
) -> RandomForest:
    """Fit a forest on some pixels of each class of each example.

    Classes are balanced: of each class as many pixels are drawn from an example, or
    all that it has where they are fewer. Pixels that are not annotated are never
    drawn.

    Args:
        examples: Images (H, W) in [0, 1], normalized as whole micrographs, and their
            class maps (H, W). Only one is held at a time.
        num_classes: K, the matrix among them.
        seed: Of the drawing and of the trees; the same seed gives the same forest.
        pixels_per_class: Pixels drawn of each class of each example, at most.
        num_trees: Trees of the forest.

    Returns:
        The forest, a `PredictFn` of K classes.

    Raises:
        TrainingError: When no example has an annotated pixel.

    References:
        L. Breiman, "Random forests", Machine Learning 45, 5 (2001),
        https://doi.org/10.1023/A:1010933404324; I. Arganda-Carreras et al.,
        "Trainable Weka Segmentation", Bioinformatics 33, 2424 (2017),
        https://doi.org/10.1093/bioinformatics/btx180; S. Berg et al., "ilastik",
        Nature Methods 16, 1226 (2019), https://doi.org/10.1038/s41592-019-0582-9
    """
    rng = np.random.default_rng(seed)
    features, classes = [], []
    for image, class_map in examples:
        pixels = filter_features(image)
        for index in np.unique(class_map[class_map != NOT_ANNOTATED]):
            rows, columns = np.nonzero(class_map == index)
            drawn = rng.permutation(len(rows))[:pixels_per_class]
            features.append(pixels[rows[drawn], columns[drawn]])
            classes.append(np.full(len(drawn), index))
    if not classes:
        raise TrainingError(
            "A random forest must have annotated pixels to learn from. Received: none."
        )
    classifier = RandomForestClassifier(
        num_trees,
        min_samples_leaf=MIN_SAMPLES_LEAF,
        random_state=seed,
        n_jobs=-1,
        class_weight="balanced",
    )
    classifier.fit(np.concatenate(features), np.concatenate(classes))
    return RandomForest(classifier, num_classes)


def filter_features(image: Image) -> NDArray[np.float32]:
    """Give the features of each pixel.

    At scales of 0.5, 1, 2, 4, 8 and 16 px: the smoothed grey level, its gradient, and
    the two eigenvalues of its Hessian.

    Args:
        image: (H, W) in [0, 1].

    Returns:
        (H, W, 24) float32.

    Example:
        >>> filter_features(np.zeros((5, 7), dtype=np.float32)).shape
        (5, 7, 24)
    """
    features = multiscale_basic_features(
        image, sigma_min=MIN_SIGMA_PX, sigma_max=MAX_SIGMA_PX
    )
    return np.asarray(features, dtype=np.float32)
