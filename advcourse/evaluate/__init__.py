"""Measuring models: accuracy, robust accuracy, transfer between models, and whether an evaluation can be believed."""

from advcourse.evaluate.auditing import audit
from advcourse.evaluate.robustness import RobustAccuracy, robust_accuracy
from advcourse.evaluate.transfer import gradient_similarity, transfer_matrix
from advcourse.models.inference import accuracy, predict

__all__ = ["RobustAccuracy", "accuracy", "audit", "gradient_similarity", "predict", "robust_accuracy",
           "transfer_matrix"]
