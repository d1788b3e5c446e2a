"""Several networks as one, which averages what they say.

B. Lakshminarayanan, A. Pritzel, C. Blundell, "Simple and scalable predictive
uncertainty estimation using deep ensembles", NeurIPS (2017),
https://doi.org/10.48550/arXiv.1612.01474
"""

from collections.abc import Sequence

import keras

from defectkeras.models.layers import MeanProbability


def build_ensemble(members: Sequence[keras.Model]) -> keras.Model:
    """Build a model that averages the probabilities of its members.

    Args:
        members: From (B, H, W, C) to logits (B, H, W, K), all alike; their weights
            are copied.

    Returns:
        A model from (B, H, W, C) to logits (B, H, W, K) whose softmax (or sigmoid)
        is the mean of the members' probabilities.

    Raises:
        ValueError: When there is no member.
    """
    if not members:
        raise ValueError("An ensemble must have a member. Received: none.")
    image = keras.Input(members[0].input_shape[1:], name="image")
    logits = []
    for number, member in enumerate(members, start=1):
        config = {**member.get_config(), "name": f"member_{number}"}
        copy = type(member).from_config(config)
        copy.set_weights(member.get_weights())
        logits.append(copy(image))
    return keras.Model(image, MeanProbability(name="logits")(logits), name="ensemble")
