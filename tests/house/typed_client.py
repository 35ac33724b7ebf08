"""A typed program: right calls of the library, and calls that a type checker must refuse. It is never run."""

from torch import Tensor, nn

import advcourse
from advcourse import attacks, data, evaluate, models, zoo
from advcourse.defenses.smoothing import certify


def right(x: Tensor, y: Tensor) -> float:
    model: nn.Module = zoo.load("mnist-cnn")
    x_adv: Tensor = attacks.pgd(model, x, y, eps=0.1, norm="l2", steps=10)
    nearest: Tensor = attacks.fmn(lambda images: model(images), x, y, norm="l1")
    queried: Tensor = attacks.square(model, x, y, eps=0.1, queries=100)
    advcourse.attacks.fgsm(models.cnn(), x, y, eps=8 / 255)
    report = evaluate.robust_accuracy(model, x, y, eps=0.1)
    digits = data.load("digits", train=100)
    accuracy: float = evaluate.accuracy(model, digits.x_test, digits.y_test)
    return report.accuracy + accuracy + (x_adv + nearest + queried).sum().item()


def wrong(model: nn.Module, x: Tensor, y: Tensor) -> None:
    attacks.pgd(model, x, y, eps="0.1")  # mistake: text for a number
    attacks.pgd(model, x, y, epsilon=0.1)  # mistake: no such parameter
    attacks.pgd(model, x, y, eps=0.1, norm=2)  # mistake: a number for a name
    attacks.fmn(model, x, y, norm="L2")  # mistake: no such norm
    attacks.apgd(model, x, y)  # mistake: eps is wanted
    attacks.deepfool(model, [[0.5]], y)  # mistake: a list for a tensor
    attacks.fgsm(model, x, y, 0.1)  # mistake: all after y by keyword
    x_adv = attacks.cw_l2(model, x, y)
    print(x_adv["logits"], x_adv.logits)  # mistake: a result is a tensor
    attacks.square(model, x, y, eps=0.1, queries="many")  # mistake: text for a count
    print(evaluate.robust_accuracy(model, x, y, eps=0.1).robustness)  # mistake: no such field
    zoo.load(7)  # mistake: a number for a name
    data.load("digits", train="all")  # mistake: text for a count
    certify(model, x, sigma="0.5")  # mistake: text for a number
