"""Models: networks, classical models (SVMs, trees, nearest neighbours), and inference, which asks them."""

from advcourse.models.inference import accuracy, device_of, evaluating, predict
from advcourse.models.networks import cnn, mlp, softmax_regression

__all__ = ["accuracy", "cnn", "device_of", "evaluating", "mlp", "predict", "softmax_regression"]
