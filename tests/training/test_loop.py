"""The fit loop against scikit-learn, a loop written out, and its promises: seeds, early stop, nothing else touched."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from advcourse import models
from advcourse.models.inference import accuracy
from advcourse.randomness import seeded
from advcourse.training.loop import cross_entropy_loss, fit, one_cycle


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def blobs(images=300, seed=0, noise=0.25):
    """Images of 1x4x4 pixels around three centres; with this noise the classes overlap."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(99))
    y = torch.randint(3, (images,), generator=generator)
    return (centres[y] + noise * torch.randn(images, 1, 4, 4, generator=generator)).clamp(0, 1), y


def fresh(network=models.softmax_regression, shape=(1, 4, 4)):
    with seeded(5):
        return network(shape, 3)


def weights(model):
    return torch.cat([tensor.detach().flatten() for tensor in model.state_dict().values()])


def test_fit_finds_the_optimum_of_a_convex_problem_as_scikit_learn_does():
    from sklearn.linear_model import LogisticRegression

    x, y = blobs()
    penalty = 0.01

    def ridge_loss(model, x, y):
        return cross_entropy_loss(model, x, y) + penalty / 2 * model[1].weight.square().sum()

    model = fresh().double()
    fit(model, x.double(), y, epochs=600, batch_size=len(x), learning_rate=0.1, loss=ridge_loss)
    reference = LogisticRegression(C=1 / (penalty * len(x)), tol=1e-10,
                                   max_iter=10_000).fit(x.flatten(1).double().numpy(), y.numpy())
    found = F.softmax(model(x.double()), dim=1)
    assert torch.allclose(found, torch.from_numpy(reference.predict_proba(x.flatten(1).double().numpy())), atol=1e-6)
    assert torch.allclose(model[1].weight, torch.from_numpy(reference.coef_), atol=1e-5)


def test_one_epoch_is_adam_over_every_image_once():
    x, y = blobs(10)
    seen = []

    def spying_loss(model, x_batch, y_batch):
        seen.append((x_batch, y_batch))
        return cross_entropy_loss(model, x_batch, y_batch)

    model = fresh()
    history = fit(model, x, y, epochs=1, batch_size=4, learning_rate=0.02, loss=spying_loss)
    assert [len(x_batch) for x_batch, _ in seen] == [4, 4, 2]
    order = [next(i for i in range(10) if torch.equal(x[i], image)) for x_batch, _ in seen for image in x_batch]
    assert sorted(order) == list(range(10)) and order != list(range(10))
    assert torch.equal(torch.cat([y_batch for _, y_batch in seen]), y[order])

    # Adam (Kingma and Ba 2015, Algorithm 1) by hand on the gradients of the linear model.
    w, b = (tensor.double().clone() for tensor in fresh().state_dict().values())
    moments, total = [[torch.zeros_like(w), torch.zeros_like(w)], [torch.zeros_like(b), torch.zeros_like(b)]], 0.0
    for step, (x_batch, y_batch) in enumerate(seen, start=1):
        flat = x_batch.flatten(1).double()
        probabilities = torch.softmax(flat @ w.T + b, dim=1)
        total -= probabilities[torch.arange(len(flat)), y_batch].log().sum().item()
        error = (probabilities - F.one_hot(y_batch, 3)) / len(flat)
        for tensor, gradient, moment in zip((w, b), (error.T @ flat, error.sum(0)), moments, strict=True):
            moment[0] = 0.9 * moment[0] + 0.1 * gradient
            moment[1] = 0.999 * moment[1] + 0.001 * gradient**2
            tensor -= 0.02 * (moment[0] / (1 - 0.9**step)) / ((moment[1] / (1 - 0.999**step)).sqrt() + 1e-8)
    assert torch.allclose(weights(model).double(), torch.cat([w.flatten(), b]), atol=1e-5)
    assert history == [{"epoch": 1, "loss": pytest.approx(total / 10, rel=1e-5)}]


@pytest.mark.parametrize("network", [models.softmax_regression, models.mlp, models.cnn])
def test_same_seed_same_bits_other_seed_other_weights(network):
    x, y = blobs()

    def noisy_loss(model, x, y):
        return cross_entropy_loss(model, x + 0.1 * torch.randn_like(x), y)

    def run(seed, before):
        torch.manual_seed(before)  # what the rest of the program drew must not matter
        model = fresh(network)
        return fit(model, x, y, epochs=2, loss=noisy_loss, validation=(x[:50], y[:50]), seed=seed), weights(model)

    (history, first), (again, second), (_, other) = run(1, before=10), run(1, before=20), run(2, before=10)
    assert history == again and torch.equal(first, second)
    assert not torch.equal(first, other)


def test_the_global_random_state_is_as_it_was():
    x, y = blobs(20)
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    fit(fresh(), x, y, epochs=2, validation=(x, y), patience=1)
    assert torch.equal(torch.rand(3), expected)

    def failing_loss(model, x, y):
        raise KeyboardInterrupt

    torch.manual_seed(7)
    with pytest.raises(KeyboardInterrupt):
        fit(fresh(), x, y, epochs=2, loss=failing_loss)
    assert torch.equal(torch.rand(3), expected)


def test_watching_a_validation_set_does_not_change_the_training():
    x, y = blobs()

    def noisy_loss(model, x, y):
        return cross_entropy_loss(model, x + 0.1 * torch.randn_like(x), y)

    watched, alone = fresh(), fresh()
    fit(watched, x, y, epochs=3, loss=noisy_loss, validation=(x[:100], y[:100]))
    fit(alone, x, y, epochs=3, loss=noisy_loss)
    assert torch.equal(weights(watched), weights(alone))


def test_the_history_tells_the_validation_loss_and_accuracy():
    x, y = blobs()
    x_validation, y_validation = blobs(101, seed=1)
    model = fresh()
    history = fit(model, x, y, epochs=3, batch_size=32, validation=(x_validation, y_validation))
    assert [entry["epoch"] for entry in history] == [1, 2, 3]
    assert history[-1]["validation_loss"] == pytest.approx(F.cross_entropy(model(x_validation), y_validation).item(),
                                                           rel=1e-5)
    assert history[-1]["validation_accuracy"] == accuracy(model, x_validation, y_validation)


def test_early_stop_returns_the_weights_of_the_best_epoch():
    # Few noisy images and a fast optimiser: the network soon learns them by heart, and the validation loss turns.
    x, y = blobs(30, noise=0.5)
    validation = blobs(300, seed=1, noise=0.5)
    model = fresh(models.mlp)
    history = fit(model, x, y, epochs=200, batch_size=10, learning_rate=0.01, validation=validation, patience=4)
    losses = [entry["validation_loss"] for entry in history]
    best = losses.index(min(losses))
    assert best > 0 and len(history) == best + 1 + 4 < 200
    assert F.cross_entropy(model(validation[0]), validation[1]).item() == pytest.approx(losses[best], rel=1e-5)

    # The same run cut off at that epoch has the same weights, bit for bit.
    cut = fresh(models.mlp)
    fit(cut, x, y, epochs=best + 1, batch_size=10, learning_rate=0.01)
    assert torch.equal(weights(model), weights(cut))


def test_the_best_weights_are_kept_when_the_epochs_run_out_first():
    x, y = blobs(30, noise=0.5)
    validation = blobs(300, seed=1, noise=0.5)
    model = fresh(models.mlp)
    history = fit(model, x, y, epochs=40, batch_size=10, learning_rate=0.01, validation=validation, patience=100)
    losses = [entry["validation_loss"] for entry in history]
    assert len(losses) == 40 and losses[-1] > min(losses)
    assert F.cross_entropy(model(validation[0]), validation[1]).item() == pytest.approx(min(losses), rel=1e-5)


def test_without_patience_the_last_weights_stay():
    x, y = blobs(30, noise=0.5)
    validation = blobs(300, seed=1, noise=0.5)
    model = fresh(models.mlp)
    history = fit(model, x, y, epochs=40, batch_size=10, learning_rate=0.01, validation=validation)
    assert history[-1]["validation_loss"] > min(entry["validation_loss"] for entry in history)
    assert F.cross_entropy(model(validation[0]),
                           validation[1]).item() == pytest.approx(history[-1]["validation_loss"], rel=1e-5)


def test_adversarial_training_is_a_loss_of_a_few_lines():
    def fgsm_loss(model, x, y):
        x = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(cross_entropy_loss(model, x, y), x)
        return cross_entropy_loss(model, (x + 0.1 * gradient.sign()).clamp(0, 1).detach(), y)

    x, y = blobs(noise=0.5)
    plain, robust = fresh(models.mlp), fresh(models.mlp)
    fit(plain, x, y, epochs=30, learning_rate=0.01)
    # Also on the validation set, where the loss still needs its gradient.
    history = fit(robust, x, y, epochs=30, learning_rate=0.01, loss=fgsm_loss, validation=blobs(100, seed=1, noise=0.5),
                  patience=30)
    assert fgsm_loss(robust, x, y) < 0.6 * fgsm_loss(plain, x, y)
    assert min(entry["validation_loss"] for entry in history) < history[0]["validation_loss"]


def test_training_mode_while_it_trains_evaluation_mode_while_it_validates_and_afterwards():
    modes = []

    class Spy(nn.Sequential):
        def forward(self, x):
            modes.append((self.training, len(x)))
            return super().forward(x)

    x, y = blobs(8)
    model = Spy(nn.Flatten(), nn.Linear(16, 3)).eval()
    fit(model, x, y, epochs=2, validation=(x[:5], y[:5]))
    assert set(modes) == {(True, 8), (False, 5)}
    assert not model.training


def test_the_progress_bar_counts_batches_and_can_be_silenced(capsys, monkeypatch):
    x, y = blobs(10)
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    fit(fresh(), x, y, epochs=3, batch_size=4)
    shown = capsys.readouterr().err
    assert "epoch 3 of 3" in shown and "9/9" in shown and "loss=" in shown

    monkeypatch.setenv("TQDM_DISABLE", "1")
    fit(fresh(), x, y, epochs=3, batch_size=4)
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_on_the_gpu_too_the_same_seed_gives_the_same_bits():
    x, y = blobs()

    def run():
        model = fresh(models.cnn).cuda()
        fit(model, x, y, epochs=3, loss=lambda m, x, y: cross_entropy_loss(m, x + 0.1 * torch.randn_like(x), y))
        return weights(model)

    state = torch.cuda.get_rng_state()
    assert torch.equal(run(), run())
    assert torch.equal(torch.cuda.get_rng_state(), state)


def test_wrong_arguments_say_what_is_wanted():
    x, y = blobs(10)
    for arguments, message in [
        ({"epochs": 0}, "at least 1, got epochs=0"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"averaging": 1.0}, r"averaging must lie in \[0, 1\), such as 0.99, or be None; got 1.0"),
        ({"replays": 0}, "replays must be at least 1, got 0"),
        ({"patience": 2}, r"needs a validation set: validation=\(x, y\)"),
        ({"patience": 0, "validation": (x, y)}, "at least 1 epoch, got 0"),
        ({"validation": (x, y[:9])}, "the validation set needs one label per image .* got 10 and 9"),
    ]:
        with pytest.raises(ValueError, match=message):
            fit(fresh(), x, y, **({"epochs": 1} | arguments))
    with pytest.raises(ValueError, match=r"the training set needs .* got 10 and 9"):
        fit(fresh(), x, y[:9], epochs=1)
    with pytest.raises(ValueError, match="at least one image"):
        fit(fresh(), x[:0], y[:0], epochs=1)
    with pytest.raises(ValueError, match=r"requires_grad_\(True\)"):
        fit(fresh().requires_grad_(False), x, y, epochs=1)
    with pytest.raises(FloatingPointError, match="smaller learning_rate"):
        fit(fresh(), x, y, epochs=1, loss=lambda model, x, y: cross_entropy_loss(model, x, y) * float("nan"))


def test_the_averaged_weights_are_the_exponential_mean_of_all_steps():
    x, y = blobs(40)
    seen = []

    def spying_loss(model, x, y):
        seen.append(weights(model))  # before each step; the first are those of the start
        return cross_entropy_loss(model, x, y)

    plain, averaged = fresh(), fresh()
    fit(plain, x, y, epochs=3, batch_size=10, loss=spying_loss)
    after = [*seen[1:], weights(plain)]
    mean = after[0]
    for step in after[1:]:
        mean = 0.8 * mean + 0.2 * step
    history = fit(averaged, x, y, epochs=3, batch_size=10, averaging=0.8, validation=(x, y))
    assert torch.allclose(weights(averaged), mean, atol=1e-6) and not torch.allclose(weights(plain), mean, atol=1e-4)
    # What is watched is the model that will be kept.
    assert history[-1]["validation_loss"] == pytest.approx(cross_entropy_loss(averaged, x, y).item(), rel=1e-6)


def test_early_stop_with_averaging_gives_the_averaged_weights_of_the_best_epoch():
    x, y = blobs(30, noise=0.5)
    validation = blobs(300, seed=1, noise=0.5)
    model = fresh(models.mlp)
    history = fit(model, x, y, epochs=100, batch_size=10, learning_rate=0.01, validation=validation, patience=4,
                  averaging=0.9)
    assert F.cross_entropy(model(validation[0]), validation[1]).item() == pytest.approx(min(entry["validation_loss"]
                                                                                            for entry in history),
                                                                                            rel=1e-5)


def test_another_loss_may_be_watched_than_the_one_that_is_trained():
    x, y = blobs()
    model = fresh()
    history = fit(model, x, y, epochs=2, validation=(x, y), validation_loss=lambda model, x,
                  y: model.training + 7.0 * torch.ones(()))
    assert [entry["validation_loss"] for entry in history] == pytest.approx([7.0, 7.0])


def test_measures_join_the_history_and_change_nothing():
    x, y = blobs()
    alone, measured = fresh(), fresh()
    fit(alone, x, y, epochs=2)
    history = fit(measured, x, y, epochs=2, measure=lambda model: {"training": model.training,
                                                                   "random": torch.rand(()).item()})
    assert torch.equal(weights(alone), weights(measured))
    assert [entry["training"] for entry in history] == [False, False] and history[0]["random"] == history[1]["random"]


def test_replays_take_several_steps_with_each_batch():
    x, y = blobs(10)
    seen = []

    def spying_loss(model, x, y):
        seen.append(x)
        return cross_entropy_loss(model, x, y)

    fit(fresh(), x, y, epochs=1, batch_size=5, loss=spying_loss, replays=3)
    assert len(seen) == 6 and all(torch.equal(batch, seen[k // 3 * 3])
                                  for k, batch in enumerate(seen)) and not torch.equal(seen[0], seen[3])


def test_the_learning_rate_may_change_along_the_training():
    x, y = blobs(40)
    asked = []

    def rate(share):
        asked.append(share)
        return 0.01 if share < 0.5 else 0.0

    half, whole = fresh(), fresh()
    fit(half, x, y, epochs=1, batch_size=10, learning_rate=0.01, seed=3, loss=cross_entropy_loss)
    fit(whole, x, y, epochs=2, batch_size=10, learning_rate=rate, seed=3)
    assert asked == pytest.approx([k / 8 for k in range(9)])
    assert torch.equal(weights(half), weights(whole))  # the second half of the training stands still


def test_one_cycle_rises_and_falls():
    rate = one_cycle(2.0)
    assert [rate(share) for share in (0, 0.1, 0.2, 0.6, 0.99, 1)] == pytest.approx([0.1, 1.0, 2.0, 1.0, 0.1, 0.1])
