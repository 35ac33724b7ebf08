"""Plausible wrong answers to exercise 03.3, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch


def takes_the_likeliest(model, x):
    return model(x).argmax(1)


def takes_the_second_likeliest(model, x):
    return model(x).topk(2, dim=1).indices[:, 1]


def takes_the_second_least_likely(model, x):
    return model(x).argsort(1)[:, 1]


def searches_over_the_images(model, x):
    return model(x).argmin(0)


def searches_the_whole_batch(model, x):
    return model(x).argmin()


def one_class_for_all(model, x):
    return model(x).mean(0).argmin().expand(len(x)).clone()


def takes_the_smallest_size(model, x):
    return model(x).abs().argmin(1)


def returns_the_logit(model, x):
    return model(x).min(1).values


def keeps_the_dimension(model, x):
    return model(x).argmin(1, keepdim=True)


def returns_probabilities(model, x):
    return model(x).softmax(1)


def searches_the_probabilities(model, x):
    with torch.no_grad():
        return model(x).log_softmax(1).min(dim=1).indices


def takes_the_class_after_the_prediction(model, x):
    logits = model(x)
    return (logits.argmax(1) + 1) % logits.shape[1]


def returns_rows_of_zeros_and_ones(model, x):
    logits = model(x)
    return torch.nn.functional.one_hot(logits.argmin(1), logits.shape[1])


def searches_the_negative_logits_for_the_smallest(model, x):
    return (-model(x)).argmin(1)


def draws_a_class(model, x):
    return torch.randint(model(x).shape[1], (len(x),))


def searches_row_by_row(model, x):
    return [int(row.argmin()) for row in model(x)]


def searches_in_numpy(model, x):
    return np.argsort(model(x).detach().numpy(), axis=1)[:, 0]


def takes_the_last_of_the_sorted(model, x):
    return model(x.clone()).sort(dim=-1, descending=True).indices[:, -1]


def takes_smaller_whole_numbers(model, x):
    return model(x).argmin(1).int()


WRONG = [
    (takes_the_likeliest, "*most* likely"),
    (takes_the_second_likeliest, "second most likely"),
    (takes_the_second_least_likely, "second least likely"),
    (searches_over_the_images, "a tensor of shape"),
    (searches_the_whole_batch, "a tensor of shape"),
    (one_class_for_all, "search along dim=1"),
    (takes_the_smallest_size, "nearest to zero"),
    (returns_the_logit, "int64"),
    (keeps_the_dimension, "a tensor of shape"),
    (returns_probabilities, "a tensor of shape"),
    (takes_the_class_after_the_prediction, "after the likeliest ones"),
    (returns_rows_of_zeros_and_ones, "a tensor of shape"),
    (searches_the_negative_logits_for_the_smallest, "*most* likely"),
    (draws_a_class, "are not the class with the smallest logit"),
]

RIGHT = [takes_smaller_whole_numbers, searches_the_probabilities, searches_row_by_row, searches_in_numpy,
         takes_the_last_of_the_sorted]
