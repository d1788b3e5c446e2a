"""DeepLabV3: a dense encoder, and its map seen at several scales.

L.-C. Chen, G. Papandreou, F. Schroff, H. Adam, "Rethinking atrous convolution for
semantic image segmentation" (2017), https://doi.org/10.48550/arXiv.1706.05587

Ours differs from the paper and from the code of its authors: bilinear interpolation
between pixel centers, so that sizes are multiples of the output stride (theirs holds
the corners and wants 32 k + 1); the mean of the image branch is that of all of the
map, not of a window of the training size; ResNets have their strides where
`keras.applications` has them. torchvision's and the paper's head are as here: ASPP,
a 3x3 convolution, the classes. There is no auxiliary head.
"""

import keras

from defectkeras.models.aspp import add_aspp, choose_rates
from defectkeras.models.decoder_layers import convolve, predict_logits
from defectkeras.models.encoders import ENCODERS, build_encoder
from defectkeras.models.encoders.build import NO_MULTI_GRID
from defectkeras.models.shapes import InputShape, require_input_shape

MULTI_GRID = (1, 2, 4)
HEAD_FILTERS = 256


def build_deeplab_v3(
    input_shape: InputShape = (None, None, 1),
    *,
    num_classes: int,
    encoder: str = "resnet50",
    encoder_weights: str | None = None,
    encoder_alpha: float = 1.0,
    output_stride: int = 16,
    multi_grid: tuple[int, int, int] | None = None,
    rates: tuple[int, ...] | None = None,
    image_pooling: bool = True,
    separable: bool = False,
    name: str = "deeplab_v3",
) -> keras.Model:
    """Build DeepLabV3.

    What follows a ResNet's 2048 channels has 16,130,837 trainable parameters for 21
    classes: the pyramid 15,535,104, a 3x3 convolution 590,336, the classes 5,397.

    Args:
        input_shape: (H, W, C) of the image in [0, 1]; H and W are multiples of
            `output_stride` or None, which is any such size.
        num_classes: Number of output maps K; 1 is one defect (sigmoid), K >= 2
            are classes, the matrix first (softmax).
        encoder: A name of `ENCODERS`.
        encoder_weights: "imagenet", None, or the path of a `.keras` file.
        encoder_alpha: Width of a MobileNet.
        output_stride: 8 or 16.
        multi_grid: Factors of the rates of a ResNet's last three 3x3 convolutions;
            None takes (1, 2, 4) for a ResNet and none for the others.
        rates: Of the pyramid; None takes (6, 12, 18) at 16 and (12, 24, 36) at 8.
        image_pooling: Whether the mean of the whole map is a branch.
        separable: Whether the pyramid's 3x3 convolutions are depthwise separable.
        name: Name of the model.

    Returns:
        An uncompiled model from (B, H, W, C) to logits (B, H, W, K) float32.

    Raises:
        ModelError: When an argument does not fit, or the weights cannot be had.
        ValueError: When `num_classes` is below 1.

    Example:
        >>> model = build_deeplab_v3(
        ...     (96, 320, 1),
        ...     num_classes=4,
        ...     encoder="mobilenet_v2",
        ...     encoder_alpha=0.35,
        ...     rates=(2, 4),
        ... )
        >>> model.output_shape
        (None, 96, 320, 4)
    """
    require_input_shape(input_shape, stride=output_stride)
    rates = choose_rates(rates, output_stride, input_shape)
    if multi_grid is None:
        has_grid = encoder in ENCODERS and ENCODERS[encoder].multi_grid
        multi_grid = MULTI_GRID if has_grid else NO_MULTI_GRID
    network = build_encoder(
        encoder,
        input_shape,
        output_stride=output_stride,
        weights=encoder_weights,
        alpha=encoder_alpha,
        multi_grid=multi_grid,
    )
    x = network.output[f"stride_{output_stride}"]  # (B, H/16, W/16, 2048)
    x = add_aspp(x, rates, image_pooling=image_pooling, separable=separable)
    x = convolve(x, HEAD_FILTERS, 3, "head_map")  # (B, H/16, W/16, 256)
    x = predict_logits(x, num_classes, output_stride)  # (B, H, W, K)
    return keras.Model(network.input, x, name=name)
