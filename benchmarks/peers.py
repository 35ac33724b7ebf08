"""The attacks to compare: ours and those of other libraries at the same budget, each as call(model, x, y) -> x_adv.

Every library gets the settings with which it does best within the budget: the same steps and step sizes, a batch as
large as ours, the same starting images, and for Carlini and Wagner's attack a larger learning rate than its own
default.
"""

from dataclasses import dataclass
from importlib import import_module

import numpy as np
import torch

from advcourse import attacks
from advcourse.attacks.universal import add_universal

# From the first word of a peer's label to the module that must be importable and the distribution that knows the
# version.
LIBRARIES = {
    "torchattacks": ("torchattacks", "torchattacks"),
    "foolbox": ("foolbox", "foolbox"),
    "ART": ("art.attacks.evasion", "adversarial-robustness-toolbox"),
    "cleverhans": ("cleverhans.torch.attacks.fast_gradient_method", "cleverhans"),
    "AutoAttack": ("autoattack", "autoattack"),
}


# One adapter per library: from an attack's name and settings to call(model, x, y)

def torchattacks(attack, targeted=False, **settings):
    def call(model, x, y):
        attacker = getattr(import_module("torchattacks"), attack)(model, **settings)
        if targeted:
            attacker.set_mode_targeted_by_label(quiet=True)
        return attacker(x, y)
    return call


def foolbox(attack, eps=None, starts=False, **settings):
    def call(model, x, y):
        library = import_module("foolbox")
        attacker = getattr(library.attacks, attack)(**settings)
        bounded = library.PyTorchModel(model, bounds=(0, 1), device=x.device)
        if attack == "SpatialAttack":
            return attacker(bounded, x, y)[1]
        return attacker(bounded, x, y, epsilons=eps,
                        **({"starting_points": wrong_images(model, x, y)} if starts else {}))[1]
    return call


def art(attack, starts=False, **settings):
    def call(model, x, y):
        classifier = import_module("art.estimators.classification").PyTorchClassifier(
            model, loss=torch.nn.CrossEntropyLoss(), input_shape=tuple(x.shape[1:]), nb_classes=10,
            clip_values=(0.0, 1.0),
            device_type="gpu" if x.is_cuda else "cpu")
        attacker = getattr(import_module("art.attacks.evasion"), attack)(classifier, **settings)
        more = {"x_adv_init": wrong_images(model, x, y).cpu().numpy()} if starts else {}
        x_adv = attacker.generate(x.cpu().numpy(), y=np.eye(10, dtype=np.float32)[y.cpu().numpy()], **more)
        return torch.from_numpy(np.asarray(x_adv)).to(x)
    return call


def cleverhans(attack, **settings):
    def call(model, x, y):
        function = getattr(import_module(f"cleverhans.torch.attacks.{attack}"), attack)
        labels = {} if attack == "hop_skip_jump_attack" else {"y": y}
        return function(model, x, clip_min=0, clip_max=1, **labels, **settings).detach()
    return call


def autoattack(attack, **settings):
    def call(model, x, y):
        module = {"APGDAttack": "autopgd_base", "FABAttack_PT": "fab_pt", "SquareAttack": "square"}[attack]
        return getattr(import_module(f"autoattack.{module}"), attack)(model, seed=0, device=x.device,
                                                                      **settings).perturb(x, y)
    return call


def ours(attack, starts=False, random=False, **settings):
    def call(model, x, y):
        more = {"starts": wrong_images(model, x, y)} if starts else {}
        if random:
            more["generator"] = torch.Generator(x.device).manual_seed(torch.initial_seed() % 2**32)
        return getattr(attacks, attack)(model, x, y, **settings, **more)
    return call


def our_universal(**settings):
    def call(model, x, y):
        return add_universal(x, attacks.universal(model, x, y, **settings))
    return call


def wrong_images(model, x, y):
    """Where attacks that see only answers start.

    Random noise, or, where the model gives it the image's own label, the next image with another.

    The noise is cleverhans's only choice, so that everyone starts from it. These few passes count for nobody.
    """
    noise = torch.rand(x.shape, generator=torch.Generator().manual_seed(0)).to(x)
    place = torch.arange(len(y), device=y.device)
    ahead = (place - place[:, None]) % len(y)
    others = x[torch.where(y[:, None] != y, ahead, len(y)).argmin(1)]
    with torch.no_grad():
        wrong = model.model(noise).argmax(1) != y
    return torch.where(wrong[:, None, None, None], noise, others)


# One function per attack: from eps, which differs from model to model (None: the attack has none), to {label: call}

def fgsm_linf(eps):
    return {
        "ours": ours("fgsm", eps=eps),
        "torchattacks": torchattacks("FGSM", eps=eps),
        "foolbox": foolbox("LinfFastGradientAttack", eps=eps),
        "ART": art("FastGradientMethod", eps=eps, batch_size=500),
        "cleverhans": cleverhans("fast_gradient_method", eps=eps, norm=np.inf),
    }


def fgsm_l2(eps):
    return {
        "ours": ours("fgsm", eps=eps, norm="l2"),
        "foolbox": foolbox("L2FastGradientAttack", eps=eps),
        "ART": art("FastGradientMethod", eps=eps, norm=2, batch_size=500),
        "cleverhans": cleverhans("fast_gradient_method", eps=eps, norm=2),
    }


def bim(eps):
    step = eps / 4
    return {
        "ours": ours("bim", eps=eps, step_size=step, steps=10),
        "torchattacks": torchattacks("BIM", eps=eps, alpha=step, steps=10),
        "foolbox": foolbox("LinfBasicIterativeAttack", eps=eps, abs_stepsize=step, steps=10, random_start=False),
        "ART": art("BasicIterativeMethod", eps=eps, eps_step=step, max_iter=10, batch_size=500),
        "cleverhans": cleverhans("projected_gradient_descent", eps=eps, eps_iter=step, nb_iter=10, norm=np.inf,
                                 rand_init=False, sanity_checks=False),
    }


def mim(eps):
    step = eps / 4
    return {
        "ours": ours("mim", eps=eps, step_size=step, steps=10),
        "torchattacks": torchattacks("MIFGSM", eps=eps, alpha=step, steps=10),
        "foolbox": foolbox("LinfMomentumIterativeFastGradientMethod", eps=eps, abs_stepsize=step, steps=10),
        "ART": art("MomentumIterativeMethod", eps=eps, eps_step=step, max_iter=10, batch_size=500),
    }


def pgd_linf(eps):
    step = eps / 16  # 2.5 eps / steps
    return {
        "ours": ours("pgd", eps=eps, step_size=step, steps=40, random=True),
        "torchattacks": torchattacks("PGD", eps=eps, alpha=step, steps=40),
        "foolbox": foolbox("LinfProjectedGradientDescentAttack", eps=eps, abs_stepsize=step, steps=40),
        "ART": art("ProjectedGradientDescentPyTorch", eps=eps, eps_step=step, max_iter=40, num_random_init=1,
                   batch_size=500, verbose=False),
        "cleverhans": cleverhans("projected_gradient_descent", eps=eps, eps_iter=step, nb_iter=40, norm=np.inf,
                                 sanity_checks=False),
    }


def pgd_stop(eps):
    calls = pgd_linf(eps)
    return {
        "ours": ours("pgd", eps=eps, step_size=eps / 16, steps=40, stop_when_fooled=True, random=True),
        "torchattacks": calls["torchattacks"], "foolbox": calls["foolbox"],
    }


def pgd_l2(eps):
    step = eps / 16
    return {
        "ours": ours("pgd", eps=eps, norm="l2", step_size=step, steps=40, random=True),
        "torchattacks": torchattacks("PGDL2", eps=eps, alpha=step, steps=40),
        "foolbox": foolbox("L2ProjectedGradientDescentAttack", eps=eps, abs_stepsize=step, steps=40),
        "ART": art("ProjectedGradientDescentPyTorch", norm=2, eps=eps, eps_step=step, max_iter=40, num_random_init=1,
                   batch_size=500, verbose=False),
        "cleverhans": cleverhans("projected_gradient_descent", eps=eps, eps_iter=step, nb_iter=40, norm=2,
                                 sanity_checks=False),
    }


def pgd_l1(eps):
    step = eps / 16
    return {
        "ours": ours("pgd", eps=eps, norm="l1", step_size=step, steps=40, random=True),
        "foolbox": foolbox("L1ProjectedGradientDescentAttack", eps=eps, abs_stepsize=step, steps=40),
        "foolbox sparse": foolbox("SparseL1DescentAttack", eps=eps, abs_stepsize=step, steps=40, random_start=True),
        "ART": art("ProjectedGradientDescentPyTorch", norm=1, eps=eps, eps_step=step, max_iter=40, num_random_init=1,
                   batch_size=500, verbose=False),
        "cleverhans": cleverhans("sparse_l1_descent", eps=eps, eps_iter=step, nb_iter=40, rand_init=True,
                                 sanity_checks=False),
    }


def apgd(eps):
    return {
        "ours": ours("apgd", eps=eps, steps=50, random=True),
        "torchattacks": torchattacks("APGD", eps=eps, steps=50),
        "ART": art("AutoProjectedGradientDescent", eps=eps, eps_step=2 * eps, max_iter=50, nb_random_init=1,
                   batch_size=500, verbose=False),
        "AutoAttack": autoattack("APGDAttack", eps=eps, n_iter=50),
    }


def apgd_dlr(eps):
    return {
        "ours": ours("apgd", eps=eps, loss="dlr", steps=50, random=True),
        "torchattacks": torchattacks("APGD", eps=eps, loss="dlr", steps=50),
        "AutoAttack": autoattack("APGDAttack", eps=eps, loss="dlr", n_iter=50),
    }


def deepfool_l2(eps):
    return {
        "ours": ours("deepfool"),
        "torchattacks": torchattacks("DeepFool"),
        "foolbox": foolbox("L2DeepFoolAttack"),
        "ART": art("DeepFool", max_iter=50, epsilon=0.02, batch_size=100, verbose=False),
    }


def deepfool_linf(eps):
    return {"ours": ours("deepfool", norm="linf"), "foolbox": foolbox("LinfDeepFoolAttack")}


def cw_l2(eps):
    return {
        "ours": ours("cw_l2"),
        "torchattacks, c = 3": torchattacks("CW", c=3, steps=300, lr=0.1),
        "torchattacks, c = 10": torchattacks("CW", c=10, steps=300, lr=0.1),
        "foolbox 5 x 200": foolbox("L2CarliniWagnerAttack", binary_search_steps=5, steps=200, stepsize=0.1,
                                   initial_const=1),
        "foolbox 5 x 100": foolbox("L2CarliniWagnerAttack", binary_search_steps=5, steps=100, stepsize=0.1,
                                   initial_const=1),
        "foolbox 5 x 60": foolbox("L2CarliniWagnerAttack", binary_search_steps=5, steps=60, stepsize=0.2,
                                  initial_const=1),
        "ART 5 x 60": art("CarliniL2Method", binary_search_steps=5, max_iter=60, learning_rate=0.1, initial_const=1,
                          batch_size=100, verbose=False),
        "cleverhans 5 x 60": cleverhans("carlini_wagner_l2", n_classes=10, lr=0.1, binary_search_steps=5,
                                        max_iterations=60, initial_const=1),
    }


def ead(rule):
    step = 0.05 if rule == "EN" else 0.01

    def calls(eps):
        return {
            "ours": ours("ead", rule=rule.lower()),
            "torchattacks": torchattacks(f"EAD{rule}"),  # its defaults: with ours it hardly ever succeeds
            "foolbox 5 x 100": foolbox("EADAttack", decision_rule=rule, binary_search_steps=5, steps=100,
                                       initial_stepsize=step, initial_const=1),
            "foolbox 5 x 50": foolbox("EADAttack", decision_rule=rule, binary_search_steps=5, steps=50,
                                      initial_stepsize=step, initial_const=1),
            "ART 5 x 50": art("ElasticNet", decision_rule=rule, beta=0.01, binary_search_steps=5, max_iter=50,
                              learning_rate=step,
                              initial_const=1, batch_size=100, verbose=False),
        }
    return calls


def fmn(norm, name):
    def calls(eps):
        found = {"ours": ours("fmn", norm=norm)}
        for steps in (20, 30, 100):
            found[f"foolbox, {steps} steps"] = foolbox(f"{name}FMNAttack", steps=steps)
        if norm in ("l0", "linf"):  # one step of length 1 is short in these norms
            found["foolbox, 100 long steps"] = foolbox(f"{name}FMNAttack", steps=100, max_stepsize=10.0)
        if norm == "l2":  # the same idea by its predecessor, and the better of the two there
            for steps in (20, 50, 100):
                found[f"foolbox DDN, {steps} steps"] = foolbox("DDNAttack", steps=steps)
        return found
    return calls


def fab(norm, name):
    def calls(eps):
        return {
            "ours": ours("fab", norm=norm, steps=50),
            "torchattacks": torchattacks("FAB", norm=name, eps=1000, steps=50),
            "AutoAttack": autoattack("FABAttack_PT", norm=name, eps=1000, n_iter=50),
        }
    return calls


def jsma(eps):
    return {
        "ours": ours("jsma", targeted=True),
        "ours, others=all": ours("jsma", others="all", targeted=True),
        "torchattacks": torchattacks("JSMA", theta=1.0, gamma=0.145, targeted=True),
        "ART": art("SaliencyMapMethod", theta=1.0, gamma=0.145, batch_size=100, verbose=False),
    }


def one_pixel(eps):
    pixels = int(eps)
    return {
        "ours": ours("one_pixel", pixels=pixels, queries=2000, random=True),
        "torchattacks": torchattacks("OnePixel", pixels=pixels, steps=40, popsize=50, inf_batch=256),
        "ART": art("PixelAttack", th=pixels, max_iter=4),
    }


def spsa(eps):
    step = eps / 5
    return {
        "ours": ours("spsa", eps=eps, step_size=step, queries=2580, random=True),
        "torchattacks": torchattacks("SPSA", eps=eps, lr=step, nb_iter=20, nb_sample=64),
        "cleverhans": cleverhans("spsa", eps=eps, nb_iter=20, learning_rate=step, spsa_samples=64,
                                 early_stop_loss_threshold=0, sanity_checks=False),
    }


def hop_skip_jump(eps):
    return {
        "ours": ours("hop_skip_jump", queries=1000, starts=True, random=True),
        "foolbox": foolbox("HopSkipJumpAttack", steps=5, starts=True),
        "ART": art("HopSkipJump", max_iter=5, batch_size=256, starts=True, verbose=False),
        "cleverhans": cleverhans("hop_skip_jump_attack", norm=2, num_iterations=5, batch_size=256, verbose=False),
    }


def boundary(eps):
    return {
        "ours": ours("boundary", queries=600, starts=True, random=True),
        "foolbox": foolbox("BoundaryAttack", steps=545, starts=True),
        "ART": art("BoundaryAttack", targeted=False, max_iter=14, batch_size=256, starts=True, verbose=False),
    }


def square(norm, name):
    def calls(eps):
        found = {
            "ours": ours("square", norm=norm, eps=eps, queries=300, random=True),
            "torchattacks": torchattacks("Square", norm=name, eps=eps, n_queries=300),
            "AutoAttack": autoattack("SquareAttack", norm=name, eps=eps, n_queries=300),
        }
        # ART asks three times a step.
        return found | {"ART": art("SquareAttack", norm=np.inf if norm == "linf" else 2, eps=eps, max_iter=100,
                                   batch_size=500, verbose=False)}
    return calls


def spatial(eps):
    return {
        "ours": ours("spatial", translation=3 / 28, angles=11, shifts=5),
        "foolbox": foolbox("SpatialAttack", max_translation=3, max_rotation=30, num_translations=5, num_rotations=11),
    }


def universal(eps):
    return {
        "ours": our_universal(eps=eps),
        "ART": art("UniversalPerturbation", attacker="deepfool", attacker_params={"max_iter": 10, "verbose": False},
                   delta=0.0,
                   max_iter=1, eps=eps, batch_size=500, verbose=False),
    }


@dataclass(frozen=True)
class Comparison:
    # from eps to {label: call}; a label is the library's name, perhaps with more words; "ours" is what is judged
    calls: object
    kind: str  # "budget": how many it fools within eps; "distance": and how far it has to go, in the median
    norm: str
    runs: dict  # model: (images, eps)
    targeted: bool = False
    goal: float | None = None  # how many times faster than the fastest peer it is meant to be
    against_floor: bool = False  # measure a bare loop with the same forward and backward passes, too


def on(cnn, robust=None, softmax=None, eps=(None, None)):
    """{model: (images, eps)}: of the CNN, the robust network and, where a number is given, softmax regression."""
    runs = {"cnn": (cnn, eps[0]), "robust": (robust or cnn, eps[1]), "softmax": (softmax, eps[0])}
    return {model: run for model, run in runs.items() if run[0]}


COMPARISONS = {
    "FGSM linf": Comparison(fgsm_linf, "budget", "linf", on(500, 250, eps=(0.1, 0.3)), goal=1, against_floor=True),
    "FGSM l2": Comparison(fgsm_l2, "budget", "l2", on(500, 250, eps=(2.0, 3.0)), goal=1, against_floor=True),
    "BIM linf": Comparison(bim, "budget", "linf", on(500, 50, eps=(0.1, 0.3)), goal=1, against_floor=True),
    "MIM linf": Comparison(mim, "budget", "linf", on(500, 50, eps=(0.1, 0.3)), goal=1, against_floor=True),
    "PGD linf": Comparison(pgd_linf, "budget", "linf", on(500, 100, 500, eps=(0.1, 0.3)), goal=1, against_floor=True),
    "PGD linf, stop_when_fooled": Comparison(pgd_stop, "budget", "linf", {"cnn": (250, 0.3)}, goal=3),
    "PGD l2": Comparison(pgd_l2, "budget", "l2", on(200, eps=(1.5, 2.0)), goal=1),
    "PGD l1": Comparison(pgd_l1, "budget", "l1", on(100, eps=(10.0, 10.0)), goal=1),
    "DeepFool l2": Comparison(deepfool_l2, "distance", "l2", on(60, 60, 60), goal=3),
    "DeepFool linf": Comparison(deepfool_linf, "distance", "linf", on(60, 60, 60), goal=3),
    "C&W l2": Comparison(cw_l2, "distance", "l2", on(50, 50, 50), goal=3),
    "EAD, rule EN": Comparison(ead("EN"), "distance", "elastic net", on(50), goal=3),
    "EAD, rule L1": Comparison(ead("L1"), "distance", "l1", on(50), goal=3),
    "FMN l0": Comparison(fmn("l0", "L0"), "distance", "l0", on(50, 50, 50), goal=3),
    "FMN l1": Comparison(fmn("l1", "L1"), "distance", "l1", on(50, 50, 50), goal=3),
    "FMN l2": Comparison(fmn("l2", "L2"), "distance", "l2", on(50, 50, 50), goal=3),
    "FMN linf": Comparison(fmn("linf", "LInf"), "distance", "linf", on(50, 50, 50), goal=3),
    "FAB linf": Comparison(fab("linf", "Linf"), "distance", "linf", on(200), goal=3),
    "FAB l2": Comparison(fab("l2", "L2"), "distance", "l2", on(200), goal=3),
    "FAB l1": Comparison(fab("l1", "L1"), "distance", "l1", on(300), goal=3),
    "JSMA": Comparison(jsma, "distance", "l0", on(12, 8, 12), targeted=True, goal=3),
    "one-pixel, 3 pixels": Comparison(one_pixel, "budget", "l0", on(6, eps=(3, 3)), goal=3),
    "APGD CE": Comparison(apgd, "budget", "linf", on(25, eps=(0.1, 0.3))),
    "APGD DLR": Comparison(apgd_dlr, "budget", "linf", on(25, eps=(0.1, 0.3))),
    "SPSA": Comparison(spsa, "budget", "linf", on(210, eps=(0.1, 0.3))),
    "HopSkipJump": Comparison(hop_skip_jump, "distance", "l2", on(12)),
    "Boundary": Comparison(boundary, "distance", "l2", on(10)),
    "Square linf": Comparison(square("linf", "Linf"), "budget", "linf", on(210, eps=(0.1, 0.3))),
    "Square l2": Comparison(square("l2", "L2"), "budget", "l2", on(210, eps=(2.0, 3.0))),
    "Spatial": Comparison(spatial, "budget", "none", on(25)),
    "Universal": Comparison(universal, "budget", "linf", {"cnn": (30, 0.2)}),
}
