"""Models: networks, classical models (SVMs, trees, nearest neighbours), and inference, which asks them."""

from advcourse.models.inference import accuracy, device_of, evaluating, predict
from advcourse.models.networks import cnn, mlp, pooling_cnn, softmax_regression

__all__ = ["accuracy", "cnn", "device_of", "evaluating", "mlp", "pooling_cnn", "predict", "softmax_regression"]
