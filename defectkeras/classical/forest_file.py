"""A random forest in a file, so that it is fitted once and asked often.

The file is that of skops: a zip of arrays and JSON, from which no code runs, as it may
from a pickle. Only a forest is taken from it, and only when each step down a tree leads
to a node of that tree, which scikit-learn itself does not look after.
"""

import dataclasses
import json
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.tree import DecisionTreeClassifier
from skops import io
from skops.io.exceptions import UntrustedTypesFoundException

from defectkeras.classical.random_forest import NUM_FEATURES, RandomForest
from defectkeras.core.errors import ModelError
from defectkeras.core.files import whole_file
from defectkeras.core.labels import LabelScheme
from defectkeras.core.strict import from_mapping

SUFFIX = ".skops"
TREE = "sklearn.tree._tree.Tree"
LEAF = -1
MAX_BYTES = 2**32
"""A file that unpacks to more is refused."""

_FAULTS = (
    OSError,
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    UntrustedTypesFoundException,
)


@dataclass(frozen=True, kw_only=True)
class ForestFacts:
    """What is told about a forest.

    Attributes:
        scheme: The classes of its class map.
        dataset_name: What it has learned from.
        dataset_fingerprint: "sha256:..." over the contents of those files.
        attribution: Whom to cite for them, and their license.
        pixel_size_range_nm: Smallest and largest pixel size of them, or None when not
            known.
        scikit_learn: Version that it was fitted with.
    """

    scheme: LabelScheme
    dataset_name: str
    dataset_fingerprint: str
    attribution: str
    pixel_size_range_nm: tuple[float, float] | None
    scikit_learn: str = sklearn.__version__


def write_forest(forest: RandomForest, facts: ForestFacts, path: Path) -> None:
    """Write a forest, whole or not at all; an older file is replaced.

    Args:
        forest: From `fit_random_forest`.
        facts: What is told about it.
        path: Best ends in ".skops".
    """
    content = {
        "classifier": forest.classifier,
        "facts": json.dumps(dataclasses.asdict(facts), allow_nan=False),
    }
    with whole_file(path) as temporary:
        io.dump(content, temporary, compression=zipfile.ZIP_DEFLATED)


def read_forest(path: Path) -> tuple[RandomForest, ForestFacts]:
    """Read a forest, from whomever it is.

    Args:
        path: What `write_forest` wrote.

    Returns:
        The forest, which gives what it gave when it was written, and its facts.

    Raises:
        ModelError: When the file cannot be read or holds anything else.
    """
    received = "trees that lead nowhere"
    try:
        with warnings.catch_warnings():  # the version is among the facts
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            _require_small(path)
            content: Any = io.load(path, trusted=[TREE])
        classifier, table = content["classifier"], json.loads(content["facts"])
        facts = from_mapping(ForestFacts, table, where=str(path), error=ModelError)
        if _is_sound(classifier, facts.scheme.num_classes):
            return RandomForest(classifier, facts.scheme.num_classes), facts
    except _FAULTS as error:
        received = repr(error)
    raise ModelError(
        f"{path} must be a random forest as `defectkeras forest` writes it. Received: "
        f"{received}."
    )


def _require_small(path: Path) -> None:
    """Refuse a file that would fill the memory; zipfile reads no more than is told."""
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES} bytes when unpacked")


def _is_sound(classifier: Any, num_classes: int) -> bool:
    """Say whether it is a forest that can be asked without harm."""
    return (
        type(classifier) is RandomForestClassifier
        and classifier.n_features_in_ == NUM_FEATURES
        and set(map(int, classifier.classes_)) <= set(range(num_classes))
        and all(
            type(tree) is DecisionTreeClassifier and _leads_down(tree.tree_)
            for tree in classifier.estimators_
        )
    )


def _leads_down(tree: Any) -> bool:
    """Say whether each step of a tree is by a feature and to a later node."""
    if tree.node_count > tree.capacity:  # scikit-learn once took the file's word
        return False
    inner = np.flatnonzero(tree.children_left != LEAF)
    features = tree.feature[inner]
    children = np.stack([tree.children_left[inner], tree.children_right[inner]])
    return bool(
        np.all((features >= 0) & (features < NUM_FEATURES))
        and np.all((children > inner) & (children < tree.node_count))
    )
