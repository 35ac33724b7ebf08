"""One fit loop for every model of the course."""

import copy
import os
from contextlib import contextmanager

import torch
from torch.nn import functional as F

from advcourse.evaluate import accuracy, device_of, evaluating


def cross_entropy_loss(model, x, y):
    """The usual loss: the mean over the batch of -log softmax(model(x))[y]."""
    return F.cross_entropy(model(x), y)


def fit(
    model,
    x,
    y,
    *,
    epochs,
    batch_size=128,
    learning_rate=1e-3,
    validation=None,
    patience=None,
    loss=cross_entropy_loss,
    seed=0,
):
    """Train `model` in place with Adam; return the history, one dict per epoch.

    model: an `nn.Module` from images (N, C, H, W) in [0, 1] to logits (N, K), on any device; left in evaluation mode.
    x, y: the training images and their labels, shape (N,); each batch is moved to the model's device.
    validation: a pair (x, y) of held-out images, measured after every epoch.
    patience: stop once the validation loss has not fallen for this many epochs, and give the model the weights of
        its best epoch. Without it training runs to the end and the last weights stay.
    loss: what is minimised, a function (model, x, y) -> scalar. Adversarial training is a loss that first replaces `x`.
    seed: of the order of the images and of every random number that the loss or the model draws.
        The same seed gives the same bits on the same device with the same number of threads;
        torch's global generators are left as they were.

    Each dict of the history holds "epoch" (from 1) and "loss" (mean over the images), and, with a validation set,
    "validation_loss" and "validation_accuracy".
    Raises ValueError on arguments that do not fit, and FloatingPointError when the loss is no longer a number.
    """
    _check(model, x, y, epochs, batch_size, validation, patience)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    history, best_loss, best_epoch, best_weights = [], float("inf"), 0, None

    with seeded(seed), torch.backends.cudnn.flags(deterministic=True, benchmark=False):
        with _progress(epochs * -(-len(x) // batch_size)) as progress:
            for epoch in range(1, epochs + 1):
                progress.set_description(f"epoch {epoch} of {epochs}", refresh=False)
                history.append({"epoch": epoch, "loss": _train_epoch(model, x, y, optimizer, loss, batch_size, progress)})
                if validation is not None:
                    history[-1] |= _validate(model, *validation, loss, batch_size, seed)
                progress.set_postfix({name: f"{value:.4f}" for name, value in history[-1].items() if name != "epoch"})

                if patience is not None:
                    if history[-1]["validation_loss"] < best_loss:
                        best_loss, best_epoch = history[-1]["validation_loss"], epoch
                        best_weights = copy.deepcopy(model.state_dict())
                    elif epoch - best_epoch >= patience:
                        break

    if best_weights is not None:
        model.load_state_dict(best_weights)
    model.eval()
    return history


@contextmanager
def seeded(seed):
    """Inside, torch's global generators start from `seed`; afterwards they are as they were."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


def _train_epoch(model, x, y, optimizer, loss, batch_size, progress):
    """One pass over the images in random order; returns the mean loss."""
    model.train()
    device = device_of(model)
    total = 0.0
    for index in torch.randperm(len(x)).split(batch_size):
        index = index.to(x.device)
        batch_loss = loss(model, x[index].to(device), y[index.to(y.device)].to(device))
        optimizer.zero_grad()
        batch_loss.backward()
        optimizer.step()
        total += batch_loss.item() * len(index)
        if total != total:
            raise FloatingPointError("the training loss is not a number any more: try a smaller learning_rate")
        progress.update()
    return total / len(x)


def _validate(model, x, y, loss, batch_size, seed):
    """Loss and accuracy on held-out images.

    The loss is computed with gradients enabled, since an adversarial one needs them, and with the same random
    numbers at every epoch: epochs are compared on equal terms, and looking does not change the training.
    """
    device = device_of(model)
    total = 0.0
    with seeded(seed), evaluating(model):
        for x_batch, y_batch in zip(x.split(batch_size), y.split(batch_size)):
            total += loss(model, x_batch.to(device), y_batch.to(device)).item() * len(x_batch)
    return {"validation_loss": total / len(x), "validation_accuracy": accuracy(model, x, y)}


def _progress(batches):
    from tqdm.auto import tqdm

    # tqdm's bar for notebooks overlooks this variable of tqdm's own.
    return tqdm(total=batches, unit="batch", disable=bool(os.environ.get("TQDM_DISABLE")))


def _check(model, x, y, epochs, batch_size, validation, patience):
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError("no parameter of the model can be trained (models from the zoo are frozen): call model.requires_grad_(True) first")
    if epochs < 1 or batch_size < 1:
        raise ValueError(f"epochs and batch_size must be at least 1, got epochs={epochs}, batch_size={batch_size}")
    for name, images, labels in [("training", x, y)] + ([("validation", *validation)] if validation is not None else []):
        if len(images) == 0 or len(images) != len(labels):
            raise ValueError(f"the {name} set needs one label per image and at least one image; got {len(images)} and {len(labels)}")
    if patience is not None and validation is None:
        raise ValueError("early stopping (patience) needs a validation set: validation=(x, y)")
    if patience is not None and patience < 1:
        raise ValueError(f"patience must be at least 1 epoch, got {patience}")
