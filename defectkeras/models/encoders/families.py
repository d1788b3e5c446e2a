"""The encoders by name: what network, and what it wants its images to be.

Each network is that of `keras.applications`, so that its ImageNet weights fit, but
EfficientNet-Lite0, which Keras does not have.

- ResNet-50 and 101: K. He et al., CVPR (2016), https://doi.org/10.1109/CVPR.2016.90.
  Keras strides in the first 1x1 convolution of a stage; torchvision and DeepLab's
  own code stride in the 3x3 convolution.
- Xception: F. Chollet, CVPR (2017), https://doi.org/10.1109/CVPR.2017.195. This is
  Chollet's network, not the deeper one of DeepLabV3+ ("Xception-65").
- MobileNetV2: M. Sandler et al., CVPR (2018), https://doi.org/10.1109/CVPR.2018.00474
- MobileNetV3: A. Howard et al., ICCV (2019), https://doi.org/10.1109/ICCV.2019.00140
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import keras

from defectkeras.models.encoders.imagenet import build_imagenet_lite0

MEAN_BGR = (103.939, 116.779, 123.68)  # of ImageNet, in grey levels of 0 to 255


@dataclass(frozen=True)
class EncoderFamily:
    """One network that can be an encoder.

    Attributes:
        build: Takes `input_shape` (H, W, 3), `include_top`, `weights`, and "alpha"
            where `has_alpha`; gives a functional model of preprocessed images.
        scale: Grey levels in [0, 1] are multiplied by this.
        offsets_rgb: Then this is added to red, green and blue.
        channels: The order in which the network's own weights read them.
        has_alpha: Whether the width can be chosen.
        multi_grid: Names of the three convolutions whose rates DeepLabV3 widens;
            empty for a network without such.
        pads_first: Convolutions at the entry that get "same" padding, so that the
            maps are exact fractions of the image.
    """

    build: Callable[..., keras.Model]
    scale: float
    offsets_rgb: tuple[float, float, float]
    channels: Literal["rgb", "bgr"] = "rgb"
    has_alpha: bool = False
    multi_grid: tuple[str, ...] = ()
    pads_first: tuple[str, ...] = ()


def _mobilenet_v3(build: Callable[..., keras.Model]) -> Callable[..., keras.Model]:
    def build_without_rescaling(**arguments: Any) -> keras.Model:
        return build(include_preprocessing=False, **arguments)

    return build_without_rescaling


def _resnet(build: Callable[..., keras.Model]) -> EncoderFamily:
    red, green, blue = (-mean for mean in reversed(MEAN_BGR))
    return EncoderFamily(
        build,
        scale=255.0,
        offsets_rgb=(red, green, blue),
        channels="bgr",
        multi_grid=tuple(f"conv5_block{i}_2_conv" for i in (1, 2, 3)),
    )


_TO_PLUS_MINUS_ONE: dict[str, Any] = {"scale": 2.0, "offsets_rgb": (-1.0, -1.0, -1.0)}

ENCODERS: dict[str, EncoderFamily] = {
    "resnet50": _resnet(keras.applications.ResNet50),
    "resnet101": _resnet(keras.applications.ResNet101),
    "xception": EncoderFamily(
        keras.applications.Xception,
        pads_first=("block1_conv1", "block1_conv2"),
        **_TO_PLUS_MINUS_ONE,
    ),
    "mobilenet_v2": EncoderFamily(
        keras.applications.MobileNetV2, has_alpha=True, **_TO_PLUS_MINUS_ONE
    ),
    "mobilenet_v3_small": EncoderFamily(
        _mobilenet_v3(keras.applications.MobileNetV3Small),
        has_alpha=True,
        **_TO_PLUS_MINUS_ONE,
    ),
    "mobilenet_v3_large": EncoderFamily(
        _mobilenet_v3(keras.applications.MobileNetV3Large),
        has_alpha=True,
        **_TO_PLUS_MINUS_ONE,
    ),
    "efficientnet_lite0": EncoderFamily(
        build_imagenet_lite0,
        scale=255.0 / 128.0,
        offsets_rgb=(-127.0 / 128.0,) * 3,
    ),
}
"""Name to network."""
