"""Every attack of the library with fast arguments and what its contract promises, and small models to attack.

A new attack needs one row here, and all the tests of test_contract.py, test_wrong_arguments.py and test_cards.py hold
it to its word.
"""

import inspect
from dataclasses import dataclass, field

import torch
from torch import nn

from advcourse import attacks
from advcourse.attacks import all_cards
from advcourse.attacks.patches import apply_patch
from advcourse.attacks.universal import add_universal


@dataclass(frozen=True)
class Row:
    """One way to call one attack.

    kind: "budgeted": takes eps, and the result lies in its ball; "minimum": looks for the smallest change, x where it
    finds none; "other": only the box limits the result. alone: an image's result does not depend on its batch.
    """

    name: str
    kind: str
    options: dict = field(default_factory=dict)
    norm: str | None = None  # what the ball or the distance is measured in
    alone: bool = True
    targeted: bool = True  # False where the function has the parameter, but not for these options
    best: bool = True  # False where the model is also asked about images that are no candidates
    trained: bool = False  # its card is about what the training returns
    adapt: object = None  # where the call is not attack(model, x, y, **options) -> x_adv

    @property
    def id(self):
        return "-".join([self.name, *(str(self.options[key]) for key in ("norm", "rule", "loss", "method", "direction",
                                                                         "search") if key in self.options)])

    @property
    def function(self):
        return getattr(attacks, self.name)

    @property
    def parameters(self):
        return inspect.signature(self.function).parameters

    @property
    def card(self):
        return CARDS[self.name]

    @property
    def black_box(self):
        return self.card.knowledge.startswith("black box") and self.options.get("search") != "gradient"

    def __call__(self, model, x, y, **more):
        if "generator" in self.parameters:
            more.setdefault("generator", torch.Generator().manual_seed(7))
        if self.adapt is not None:
            return self.adapt(model, x, y, **{**self.options, **more})
        return self.function(model, x, y, **{**self.options, **more})


def _add_universal(model, x, y, **options):
    ends = {end: options[end] for end in ("low", "high") if end in options}
    delta = attacks.universal(model, x, y, **options)
    assert delta.shape == x.shape[1:] and not delta.requires_grad and delta.abs().max() <= options["eps"]
    with torch.inference_mode(False):
        return add_universal(x.detach().clone(), delta, **ends)


def _patched(model, x, y, **options):
    mask = torch.ones(x.shape[2:] if isinstance(x, torch.Tensor) and x.dim() == 4 else (6, 6))
    mask[-1] = 0
    pattern = attacks.patch(model, x, y, mask=mask, **options)
    assert pattern.shape == x.shape[1:] and not pattern.requires_grad and (pattern * (1 - mask) == 0).all()
    with torch.inference_mode(False):
        return apply_patch(x.detach().clone(), pattern, mask)


def _trained(model, x, y, **options):
    attack = attacks.advgan(model, x, y, **options)
    assert not attack.training and not any(parameter.requires_grad for parameter in attack.parameters())
    with torch.inference_mode(False):
        return attack(x.detach().clone())


def _against_two(model, x, y, **options):
    return attacks.ensemble([model, model], x, y, **options)


def _towards_guide(model, x, y, **options):
    return attacks.feature_adversary(model, x, _negative(x, **options), **options)


def _towards_image(model, x, y, **options):
    return attacks.towards_image(model, x, y, image=_negative(x, **options), **options)


def _negative(x, low=0, high=1, **_):
    return float(low) + (float(high) - x.detach()) if isinstance(x, torch.Tensor) else x


def _brighter(x):
    """A transformation with randomness from torch's global generator, as torchvision's have."""
    return (x * (0.8 + 0.4 * torch.rand(len(x), 1, 1, 1, device=x.device, dtype=x.dtype))).clamp(0, 1)


ROWS = [
    *(Row("fgsm", "budgeted", dict(eps=0.1, norm=norm), norm) for norm in ("linf", "l2")),
    Row("fgsm", "budgeted", dict(eps=0.1, random_start=True), "linf"),
    *(Row("bim", "budgeted", dict(eps=0.1, norm=norm, steps=3), norm) for norm in ("linf", "l2")),
    Row("least_likely", "budgeted", dict(eps=0.1, steps=3), "linf"),
    *(Row("mim", "budgeted", dict(eps=0.1, norm=norm, steps=3), norm) for norm in ("linf", "l2")),
    *(Row("di_fgsm", "budgeted", dict(eps=0.1, norm=norm, steps=3), norm) for norm in ("linf", "l2")),
    *(Row("ti_fgsm", "budgeted", dict(eps=0.1, norm=norm, steps=3, kernel=3), norm) for norm in ("linf", "l2")),
    *(Row("ensemble", "budgeted", dict(eps=0.1, norm=norm, steps=3), norm, adapt=_against_two)
      for norm in ("linf", "l2")),
    Row("svm_normal", "budgeted", dict(eps=0.5), "l2"),
    *(Row("pgd", "budgeted", dict(eps=eps, norm=norm, steps=3, restarts=2), norm)
      for norm, eps in (("linf", 0.1), ("l2", 0.5), ("l1", 3.0))),
    Row("pgd", "budgeted", dict(eps=0.1, steps=3, restarts=2, stop_when_fooled=True), "linf"),
    *(Row("apgd", "budgeted", dict(eps=eps, norm=norm, steps=5), norm)
      for norm, eps in (("linf", 0.1), ("l2", 0.5), ("l1", 3.0))),
    Row("apgd", "budgeted", dict(eps=0.1, loss="dlr", steps=5), "linf"),
    Row("lbfgs", "minimum", dict(steps=5), "l2"),
    Row("cw_l2", "minimum", dict(steps=10), "l2"),
    Row("cw_l0", "minimum", dict(steps=10), "l0"),
    Row("cw_linf", "minimum", dict(steps=10), "linf"),
    *(Row("ead", "minimum", dict(steps=10, rule=rule), None) for rule in ("l1", "en")),
    *(Row("deepfool", "minimum", dict(norm=norm), norm) for norm in ("l2", "linf")),
    *(Row("fmn", "minimum", dict(norm=norm, steps=10), norm) for norm in ("l0", "l1", "l2", "linf")),
    *(Row("fab", "minimum", dict(norm=norm, steps=5), norm) for norm in ("l1", "l2", "linf")),
    *(Row("jsma", "other", dict(direction=direction)) for direction in ("increase", "decrease")),
    Row("one_pixel", "other", dict(queries=60)),
    *(Row(name, "budgeted", dict(eps=eps, norm=norm, queries=60, samples=10), norm)
      for name in ("spsa", "nes") for norm, eps in (("linf", 0.1), ("l2", 0.5))),
    *(Row("square", "budgeted", dict(eps=eps, norm=norm, queries=40), norm)
      for norm, eps in (("linf", 0.1), ("l2", 0.5), ("l1", 3.0))),
    Row("boundary", "minimum", dict(queries=60), "l2"),
    *(Row("hop_skip_jump", "minimum", dict(norm=norm, queries=100), norm) for norm in ("l2", "linf")),
    *(Row("universal", "budgeted", dict(eps=0.1, norm=norm, steps=2), norm, alone=False, best=False,
          adapt=_add_universal)
      for norm in ("linf", "l2")),
    Row("universal", "budgeted", dict(eps=0.1, method="deepfool", steps=1), "linf", alone=False, best=False,
        targeted=False,
        adapt=_add_universal),
    Row("feature_adversary", "budgeted", dict(eps=0.1, steps=3), "linf", best=False, adapt=_towards_guide),
    Row("towards_image", "other", dict(steps=5), adapt=_towards_image),
    Row("patch", "other", dict(steps=3, batch_size=4, places=2), alone=False, adapt=_patched),
    Row("advgan", "budgeted", dict(eps=0.1, epochs=2), "linf", alone=False, best=False, trained=True, adapt=_trained),
    Row("virtual_adversarial", "budgeted", dict(eps=0.5, steps=2), "l2", best=False),
    *(Row("eot", "budgeted", dict(eps=eps, norm=norm, transform=_brighter, samples=2, steps=3), norm, best=False)
      for norm, eps in (("linf", 0.1), ("l2", 0.5))),
    *(Row("spatial", "other", dict(search=search, angles=3, shifts=3, tries=2, steps=3), targeted=False)
      for search in ("grid", "random", "gradient")),
]
NOT_ATTACKS = {"table", "print_photo"}  # exported beside the attacks
CARDS = all_cards()
READY = [row for row in ROWS if row.name in CARDS]  # test_cards.py says so where one is missing


def network(shape, dtype=torch.float32, seed=1):
    """A tiny network with everything that has a mode, in eval mode: any (channels, height, width), 4 classes."""
    generator = torch.Generator().manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(shape[0], 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5),
        nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(36, 4))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
        model[1].running_mean.normal_(generator=generator)
    return model.to(dtype).eval()


def images(count, shape, dtype=torch.float32, seed=2):
    """Images with values at 0, at 1 and between."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(count, *shape, generator=generator) * 1.4 - 0.2).clamp(0, 1).to(dtype)


def answers(model, x):
    """The model's own answers: labels of which none is wrong."""
    with torch.no_grad():
        return model(x).argmax(1)


def problem(count=4, shape=(1, 6, 6), dtype=torch.float32, seed=1):
    """(model, x, y): a tiny network, images, and labels that the model gets right."""
    model, x = network(shape, dtype, seed), images(count, shape, dtype, seed + 1)
    return model, x, answers(model, x) if count else torch.zeros(0, dtype=torch.int64)
