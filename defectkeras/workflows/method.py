"""A method without a network, asked about micrographs as a model is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sklearn

from defectkeras.classical.forest_file import SUFFIX, read_forest
from defectkeras.classical.methods import CLASSICAL_METHODS
from defectkeras.classical.tiles import Polarity
from defectkeras.core.arrays import Image, PredictFn
from defectkeras.core.errors import ModelError
from defectkeras.core.files import sha256_of_file
from defectkeras.core.labels import DefectClass, Kind, LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.core.names import require_known
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.prediction.domain import check_pixel_size
from defectkeras.prediction.postprocess import remove_small_objects
from defectkeras.prediction.predict import predict_image
from defectkeras.prediction.tiling import Tiling, choose_halo
from defectkeras.reporting.results import ModelFacts
from defectkeras.workflows.segment import Segmentation, SegmentSettings

RANDOM_FOREST = "random_forest"
METHODS = (*CLASSICAL_METHODS, RANDOM_FOREST)
REACH_PX = 129  # of the widest filters: four times a sigma of 16 px to each side


@dataclass(frozen=True)
class MethodChoice:
    """A method without a network.

    Attributes:
        name: Of `CLASSICAL_METHODS`, or the path of a forest that
            `defectkeras forest` wrote.
        polarity: Whether the defects are dark or bright; a forest has learned it.
    """

    name: str
    polarity: Polarity = "dark"

    @property
    def is_forest(self) -> bool:
        """Whether it is a forest in a file."""
        return self.name.endswith(SUFFIX)


@dataclass(frozen=True, eq=False)
class Method:
    """A method that is ready.

    Attributes:
        facts: What results tell of it.
        scheme: The classes that it tells apart.
        find: From a whole image (H, W) in [0, 1] to a `PredictFn` for its tiles.
        warning: What the user should know of it, or None.
    """

    facts: ModelFacts
    scheme: LabelScheme
    find: Callable[[Image], PredictFn]
    warning: str | None = None

    @property
    def sha256(self) -> str:
        """The SHA-256 of its file, or empty where it has none."""
        return self.facts.sha256


def load_method(choice: MethodChoice) -> Method:
    """Find a method by its name, or read a forest from its file.

    Args:
        choice: Which.

    Raises:
        ModelError: When there is no such method, or the file holds no forest.
    """
    if choice.is_forest:
        return _load_forest(Path(choice.name))
    if choice.name == RANDOM_FOREST:
        raise ModelError(
            f"{RANDOM_FOREST} must have learned from annotations. Fit one by "
            f"`defectkeras forest SPEC --out forest{SUFFIX}` and name the file."
        )
    require_known(choice.name, METHODS, what="method", error=ModelError)
    kind: Kind = "line" if choice.name == "ridges" else "region"
    return Method(
        ModelFacts(
            name=f"{choice.name}, {choice.polarity} defects",
            description=f"Finds {choice.polarity} defects without a network.",
        ),
        LabelScheme(
            (DefectClass(0, "matrix", "matrix"), DefectClass(1, "defect", kind))
        ),
        lambda image: CLASSICAL_METHODS[choice.name](image, polarity=choice.polarity),
    )


def segment_by_method(
    method: Method, micrograph: Micrograph, settings: SegmentSettings
) -> Segmentation:
    """Segment a micrograph without a network.

    Args:
        method: From `load_method`.
        micrograph: (H, W) raw grey levels.
        settings: How; runtime, variants and resampling are those of models.
    """
    image = normalize_percentile(micrograph.pixels)
    prediction = predict_image(
        method.find(image),
        image,
        num_classes=method.scheme.num_classes,
        tiling=Tiling(
            tile_size=settings.tile_size,
            halo=choose_halo(REACH_PX, settings.tile_size),
            batch_size=settings.batch_size,
        ),
        symmetries="square" if settings.augment else "none",
    )
    known_nm = method.facts.pixel_size_range_nm
    warnings = (method.warning, check_pixel_size(micrograph.calibration, known_nm))
    return Segmentation(
        prediction,
        remove_small_objects(prediction.class_map, settings.min_area_px),
        tuple(warning for warning in warnings if warning is not None),
        tuple(
            remove_small_objects(other, settings.min_area_px)
            for other in prediction.view_class_maps
        ),
    )


def _load_forest(path: Path) -> Method:
    forest, facts = read_forest(path)
    warning = None
    if facts.scikit_learn != sklearn.__version__:
        warning = (
            f"The forest was fitted with scikit-learn {facts.scikit_learn} and is "
            f"asked with {sklearn.__version__}, which may change it. Fit it again."
        )
    return Method(
        ModelFacts(
            name=path.name,
            sha256=sha256_of_file(path),
            architecture=RANDOM_FOREST,
            dataset_name=facts.dataset_name,
            attribution=facts.attribution,
            pixel_size_range_nm=facts.pixel_size_range_nm,
        ),
        facts.scheme,
        lambda image: forest,
        warning,
    )
