"""One fit loop for every model of the course."""

import copy
import os
from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from advcourse.models.inference import Model, accuracy, device_of, evaluating
from advcourse.randomness import seeded

Loss = Callable[[Model, torch.Tensor, torch.Tensor], torch.Tensor]  # from (model, x, y) to a scalar


def cross_entropy_loss(model: Model, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The usual loss: the mean over the batch of -log softmax(model(x))[y]."""
    return F.cross_entropy(model(x), y)


def fit(
    model: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epochs: int,
    batch_size: int = 128,
    learning_rate: float | Callable[[float], float] = 1e-3,
    validation: tuple[torch.Tensor, torch.Tensor] | None = None,
    patience: int | None = None,
    loss: Loss = cross_entropy_loss,
    validation_loss: Loss | None = None,
    measure: Callable[[nn.Module], Mapping[str, float]] | None = None,
    averaging: float | None = None,
    replays: int = 1,
    seed: int = 0,
) -> list[dict[str, float]]:
    """Train `model` in place with Adam; return the history, one dict per epoch.

    model: an `nn.Module` from images (N, C, H, W) in [0, 1] to logits (N, K), on any device; left in evaluation mode.
    x, y: the training images and their labels, shape (N,); each batch is moved to the model's device.
    epochs, batch_size: passes over the images, and images in one step, both at least 1.
    learning_rate: Adam's, a number, or a function from the share of the training that is done, in [0, 1], to one, such
    as `one_cycle(3e-3)`.
    validation: a pair (x, y) of held-out images, measured after every epoch.
    patience: stop once the validation loss has not fallen for this many epochs, and give the model the weights of
        its best epoch. Without it training runs to the end and the last weights stay.
    loss: what is minimised, a function (model, x, y) -> scalar. Adversarial training is a loss that first replaces `x`.
    validation_loss: what is watched on the validation set, such a function too; `loss` unless told. With the loss under
        attack `patience` stops before robustness is lost again (Rice, Wong, Kolter, "Overfitting in adversarially
        robust deep learning", 2020).
    measure: a function (model) -> dict of numbers, which are added to the history after every epoch.
    averaging: in [0, 1), such as 0.99: the model keeps the running mean of its weights along the training, in which the
        newest count 1 - averaging (Izmailov et al., "Averaging weights leads to wider optima", 2018, with an
        exponential mean).
    replays: how many steps are taken with each batch before the next one comes; one unless the loss wants more.
    seed: of the order of the images and of every random number that the loss or the model draws.
        The same seed gives the same bits on the same device with the same number of threads;
        torch's global generators are left as they were.

    Each dict of the history holds "epoch" (from 1) and "loss" (mean over the images), and, with a validation set,
    "validation_loss" and "validation_accuracy".
    Raises ValueError on arguments that do not fit, and FloatingPointError when the loss is no longer a number.
    """
    _check(model, x, y, epochs=epochs, batch_size=batch_size, validation=validation, patience=patience,
           averaging=averaging, replays=replays)
    steps = epochs * replays * -(-len(x) // batch_size)
    rate = learning_rate if callable(learning_rate) else lambda share: learning_rate
    optimizer = torch.optim.Adam(model.parameters(), lr=1.0)  # the schedule multiplies it
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step / steps))
    averaged = None if averaging is None else AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(averaging),
                                                            use_buffers=True)
    result = model if averaged is None else averaged.module
    history, best_loss, best_epoch, best_weights = [], float("inf"), 0, None

    def step(batch_loss):
        optimizer.zero_grad()
        batch_loss.backward()
        optimizer.step()
        schedule.step()
        if averaged is not None:
            averaged.update_parameters(model)

    with (seeded(seed), torch.backends.cudnn.flags(deterministic=True, benchmark=False),
          _progress(steps) as progress):
        for epoch in range(1, epochs + 1):
            progress.set_description(f"epoch {epoch} of {epochs}", refresh=False)
            mean_loss = _train_epoch(model, x, y, loss=loss, batch_size=batch_size, replays=replays, step=step,
                                     progress=progress)
            history.append({"epoch": epoch, "loss": mean_loss})
            if validation is not None:
                history[-1] |= _validate(result, *validation, validation_loss or loss, batch_size, seed)
            if measure is not None:
                with seeded(seed), evaluating(result):
                    history[-1] |= measure(result)
            progress.set_postfix({name: f"{value:.4f}" for name, value in history[-1].items() if name != "epoch"})

            if patience is not None:
                if history[-1]["validation_loss"] < best_loss:
                    best_loss, best_epoch = history[-1]["validation_loss"], epoch
                    best_weights = copy.deepcopy(result.state_dict())
                elif epoch - best_epoch >= patience:
                    break

    if best_weights is not None or averaged is not None:
        model.load_state_dict(result.state_dict() if best_weights is None else best_weights)
    model.eval()
    return history


def one_cycle(highest: float) -> Callable[[float], float]:
    """A learning rate that rises to `highest` over the first fifth of the training and falls to a twentieth of it.

    Smith, Topin, "Super-convergence: very fast training of neural networks using large learning rates", 2018.
    """
    def rate(share):
        return highest * max(share / 0.2 if share < 0.2 else (1 - share) / 0.8, 0.05)
    return rate


def _train_epoch(model, x, y, *, loss, batch_size, replays, step, progress):
    """One pass over the images in random order, a step(loss) `replays` times for each batch; returns the mean loss."""
    model.train()
    device = device_of(model)
    total = 0.0
    for index in torch.randperm(len(x)).split(batch_size):
        x_batch, y_batch = x[index.to(x.device)].to(device), y[index.to(y.device)].to(device)
        for _ in range(replays):
            batch_loss = loss(model, x_batch, y_batch)
            step(batch_loss)
            total += batch_loss.item() * len(index)
            if total != total:
                raise FloatingPointError("the training loss is not a number any more: try a smaller learning_rate")
            progress.update()
    return total / (replays * len(x))


def _validate(model, x, y, loss, batch_size, seed):
    """Loss and accuracy on held-out images.

    The loss is computed with gradients enabled, since an adversarial one needs them, and with the same random
    numbers at every epoch: epochs are compared on equal terms, and looking does not change the training.
    """
    device = device_of(model)
    total = 0.0
    with seeded(seed), evaluating(model):
        for x_batch, y_batch in zip(x.split(batch_size), y.split(batch_size), strict=True):
            total += loss(model, x_batch.to(device), y_batch.to(device)).item() * len(x_batch)
    return {"validation_loss": total / len(x), "validation_accuracy": accuracy(model, x, y)}


def _progress(batches):
    from tqdm.auto import tqdm

    # tqdm's bar for notebooks overlooks this variable of tqdm's own.
    return tqdm(total=batches, unit="batch", disable=bool(os.environ.get("TQDM_DISABLE")))


def _check(model, x, y, *, epochs, batch_size, validation, patience, averaging, replays):
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError("no parameter of the model can be trained (models from the zoo are frozen): call "
                         "model.requires_grad_(True) first")
    if epochs < 1 or batch_size < 1:
        raise ValueError(f"epochs and batch_size must be at least 1, got epochs={epochs}, batch_size={batch_size}")
    if averaging is not None and not 0 <= averaging < 1:
        raise ValueError(f"averaging must lie in [0, 1), such as 0.99, or be None; got {averaging}")
    if replays < 1:
        raise ValueError(f"replays must be at least 1, got {replays}")
    sets = [("training", x, y)] if validation is None else [("training", x, y), ("validation", *validation)]
    for name, images, labels in sets:
        if len(images) == 0 or len(images) != len(labels):
            raise ValueError(f"the {name} set needs one label per image and at "
                             f"least one image; got {len(images)} and {len(labels)}")
    if patience is not None and validation is None:
        raise ValueError("early stopping (patience) needs a validation set: validation=(x, y)")
    if patience is not None and patience < 1:
        raise ValueError(f"patience must be at least 1 epoch, got {patience}")
