"""The substitute attack: new images by the formula, queries counted, and a copy that answers as the original does."""

import pytest
import torch
from torch import nn

from advcourse import data, evaluate, models, zoo
from advcourse.attacks import fgsm
from advcourse.models.classical import label_query
from advcourse.stealing.substitute import augment, train_substitute


@pytest.mark.parametrize("step", [0.1, -0.1])
def test_new_images_move_along_the_gradient_of_their_labels_score(step):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 4))
    x, labels = torch.rand(6, 1, 4, 4), torch.arange(6) % 4
    wanted = (x + step * model[1].weight[labels].sign().view_as(x)).clamp(0, 1)
    new = augment(model, x, labels, step)
    assert torch.equal(new, wanted) and not new.requires_grad and model[1].weight.grad is None


def spied(rounds, **options):
    torch.manual_seed(0)
    network, asked = models.softmax_regression((1, 4, 4), 3), []
    truth = models.softmax_regression((1, 4, 4), 3)

    def query(x):
        asked.append(x)
        return truth(x).argmax(1)

    return network, asked, train_substitute(query, torch.rand(5, 1, 4, 4), network, rounds=rounds, epochs=2, **options)


def test_the_set_doubles_and_no_image_is_asked_about_twice():
    _, asked, (history, x, labels) = spied(4)
    assert [len(new) for new in asked] == [5, 5, 10, 20] and [entry["queries"] for entry in history] == [5, 10, 20, 40]
    assert torch.equal(x, torch.cat(asked)) and labels.shape == (40,)


def test_the_growth_can_be_limited_and_the_network_watched():
    _, asked, (history, _,
               _) = spied(4, most=7, watch=lambda network: {"parameters": sum(p.numel() for p in network.parameters())})
    assert [len(new) for new in asked] == [5, 5, 7, 7] and all(entry["parameters"] == 51 for entry in history)


def test_the_step_changes_its_sign():
    """With a linear substitute that hardly learns, a round later goes back where the one before came from."""
    torch.manual_seed(0)
    x = torch.rand(5, 1, 4, 4) * 0.4 + 0.3
    for period, back in ((1, True), (3, False)):
        network, asked = models.softmax_regression((1, 4, 4), 3), []

        def query(z, asked=asked):
            return asked.append(z) or torch.zeros(len(z), dtype=torch.int64)

        train_substitute(query, x, network, rounds=3, epochs=1, step=0.1, period=period, learning_rate=1e-9)
        there, after = asked[1], asked[2]
        returned = (after[:, None] - x[None]).flatten(2).abs().amax(2).amin(1) < 1e-6
        assert returned.any() == back and len(there) == 5


def test_wrong_arguments_are_named():
    for options in ({"rounds": 0}, {"rounds": 1, "period": 0}, {"rounds": 1, "most": 0}):
        with pytest.raises(ValueError, match="at least 1"):
            spied(**options)


def test_it_learns_to_answer_as_the_remote_model_does_and_its_attacks_carry_over():
    remote, digits = zoo.load("mnist-cnn"), data.load("mnist", train=10, test=1000)
    x, y = digits.x_test, digits.y_test
    torch.manual_seed(0)
    network = models.mlp()
    history, asked, _ = train_substitute(label_query(remote), x[:150], network, rounds=5, step=-0.2, epochs=10,
                                         learning_rate=2e-3)
    unseen, labels = x[500:], y[500:]
    agreement = evaluate.accuracy(network, unseen, remote(unseen).argmax(1))
    assert history[-1]["queries"] == len(asked) == 2400 and agreement > 0.7
    assert evaluate.accuracy(remote, fgsm(network, unseen, labels, eps=0.3), labels) < 0.5
