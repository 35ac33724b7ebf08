"""Defences: training on adversarial examples, detecting them, proving that there are none; and some that only look it.

Adversarial training is a loss for `training.fit`: adversarial_training.py holds the methods, fast_training.py the cheap
ones and their catastrophe; detection.py, bounds.py and smoothing.py the others, masking.py those that only look it.
"""

from advcourse.defenses.adversarial_training import (
    goodfellow_loss,
    kurakin_loss,
    logit_pairing_loss,
    mart_loss,
    pgd_loss,
    trades_loss,
    virtual_adversarial_loss,
    warm_up,
)
from advcourse.defenses.fast_training import catastrophic_epoch, fast_loss, free_loss, grad_align_loss, one_step_gap

__all__ = [
    "catastrophic_epoch",
    "fast_loss",
    "free_loss",
    "goodfellow_loss",
    "grad_align_loss",
    "kurakin_loss",
    "logit_pairing_loss",
    "mart_loss",
    "one_step_gap",
    "pgd_loss",
    "trades_loss",
    "virtual_adversarial_loss",
    "warm_up",
]
