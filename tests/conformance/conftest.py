"""Every architecture with arguments that make it small."""

import pytest

from defectkeras.models.build import MODEL_BUILDERS

SMALL_ENCODER = {"encoder": "mobilenet_v2", "encoder_alpha": 0.35}
SMALL = {
    "deeplab_v3": SMALL_ENCODER,
    "deeplab_v3_plus": SMALL_ENCODER | {"separable": True},
    "defectsegnet": {},
    "encoder_unet": SMALL_ENCODER,
    "fast_fcn": SMALL_ENCODER | {"pyramid_filters": 16, "head": "cbp"},
    "fcn": {"filters": 2},
    "patch_classifier": {"patch_size": 9, "filters": 4},
    "segnet": {"filters": 2},
    "segnet_basic": {"filters": 2, "bayesian": True},
    "unet": {"filters": 2},
}
"""Architecture to arguments that make it small."""


@pytest.fixture(params=sorted(MODEL_BUILDERS))
def architecture(request):
    """A name of `MODEL_BUILDERS`."""
    return request.param


@pytest.fixture
def small_arguments(architecture):
    """What makes this architecture small."""
    return SMALL[architecture]
