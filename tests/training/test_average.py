import keras
import numpy as np

from defectkeras.training.average import AverageWeights


def test_average_follows_its_formula():
    variable = keras.Variable(np.full((2, 3), 1.0, np.float32))
    average = AverageWeights([variable], 0.9)
    expected = 1.0
    for step in range(1, 30):
        variable.assign(np.full((2, 3), float(step)))
        momentum = min(0.9, step / (step + 9))
        assert average.momentum_after(step) == momentum
        average.update(momentum)
        expected = momentum * expected + (1 - momentum) * step
    np.testing.assert_allclose(average.averages[0].numpy(), expected, rtol=1e-6)


def test_average_is_in_place_for_a_while_only():
    variable = keras.Variable(np.array([1.0, 2.0], np.float32))
    average = AverageWeights([variable], 0.9)
    variable.assign([5.0, 6.0])
    with average.in_place():
        np.testing.assert_array_equal(variable.numpy(), [1.0, 2.0])
    np.testing.assert_array_equal(variable.numpy(), [5.0, 6.0])
