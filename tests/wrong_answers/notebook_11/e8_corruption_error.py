"""Plausible wrong answers to exercise 11.8, each with a part of the message that it should get, and right ones."""


def mce(errors, base_errors):
    return (errors.sum(1) / base_errors.sum(1)).mean().item()


def both(rule):
    """An answer that follows a rule of (errors, baseline's errors) for both numbers."""
    def answer(errors, clean, base_errors, base_clean):
        return float(rule(errors, base_errors)), float(rule(errors - clean, base_errors - base_clean))
    return answer


def divides_cell_by_cell(errors, clean, base_errors, base_clean):
    return both(lambda e, b: (e / b).mean())(errors, clean, base_errors, base_clean)


def divides_all_at_once(errors, clean, base_errors, base_clean):
    return both(lambda e, b: e.sum() / b.sum())(errors, clean, base_errors, base_clean)


def adds_up_over_corruptions(errors, clean, base_errors, base_clean):
    return both(lambda e, b: (e.sum(0) / b.sum(0)).mean())(errors, clean, base_errors, base_clean)


def forgets_the_baseline(errors, clean, base_errors, base_clean):
    return both(lambda e, b: e.mean())(errors, clean, base_errors, base_clean)


def turns_the_ratio_over(errors, clean, base_errors, base_clean):
    return both(lambda e, b: (b.sum(1) / e.sum(1)).mean())(errors, clean, base_errors, base_clean)


def adds_up_the_ratios(errors, clean, base_errors, base_clean):
    return both(lambda e, b: (e.sum(1) / b.sum(1)).sum())(errors, clean, base_errors, base_clean)


def compares_accuracies(errors, clean, base_errors, base_clean):
    return both(lambda e, b: ((1 - e).sum(1) / (1 - b).sum(1)).mean())(errors, clean, base_errors, base_clean)


def takes_differences(errors, clean, base_errors, base_clean):
    return both(lambda e, b: (e - b).mean())(errors, clean, base_errors, base_clean)


def takes_the_worst_severity(errors, clean, base_errors, base_clean):
    return both(lambda e, b: (e[:, -1] / b[:, -1]).mean())(errors, clean, base_errors, base_clean)


def takes_the_median(errors, clean, base_errors, base_clean):
    return both(lambda e, b: (e.sum(1) / b.sum(1)).median())(errors, clean, base_errors, base_clean)


def forgets_the_clean_errors(errors, clean, base_errors, base_clean):
    return mce(errors, base_errors), mce(errors, base_errors)


def subtracts_them_twice(errors, clean, base_errors, base_clean):
    relative = mce(errors - clean, base_errors - base_clean)
    return relative, relative


def forgets_the_baselines_clean_error(errors, clean, base_errors, base_clean):
    return mce(errors, base_errors), mce(errors - clean, base_errors)


def forgets_its_own_clean_error(errors, clean, base_errors, base_clean):
    return mce(errors, base_errors), mce(errors, base_errors - base_clean)


def subtracts_one_clean_error_from_both(errors, clean, base_errors, base_clean):
    return mce(errors, base_errors), mce(errors - clean, base_errors - clean)


def subtracts_the_clean_error_once(errors, clean, base_errors, base_clean):
    relative = (errors.sum(1) - clean) / (base_errors.sum(1) - base_clean)
    return mce(errors, base_errors), relative.mean().item()


def divides_before_it_subtracts(errors, clean, base_errors, base_clean):
    return mce(errors, base_errors), mce(errors, base_errors) - clean / base_clean


def divides_the_rises_cell_by_cell(errors, clean, base_errors, base_clean):
    return mce(errors, base_errors), ((errors - clean) / (base_errors - base_clean)).mean().item()


def exchanges_the_two(errors, clean, base_errors, base_clean):
    return mce(errors - clean, base_errors - base_clean), mce(errors, base_errors)


def works_in_place(errors, clean, base_errors, base_clean):
    first = mce(errors, base_errors)
    errors -= clean
    base_errors -= base_clean
    return first, mce(errors, base_errors)


def row_by_row(errors, clean, base_errors, base_clean):
    first, second = 0.0, 0.0
    for row, base in zip(errors.tolist(), base_errors.tolist(), strict=True):
        first += sum(row) / sum(base) / len(errors)
        second += sum(e - clean for e in row) / sum(b - base_clean for b in base) / len(errors)
    return first, second


def by_means(errors, clean, base_errors, base_clean):
    mean, base_mean = errors.mean(1), base_errors.mean(1)
    return [(mean / base_mean).mean(), ((mean - clean) / (base_mean - base_clean)).mean()]


def in_numpy(errors, clean, base_errors, base_clean):
    e, b = errors.numpy().astype("float64"), base_errors.numpy().astype("float64")
    return (e.sum(1) / b.sum(1)).mean(), ((e - clean).sum(1) / (b - base_clean).sum(1)).mean()


WRONG = [
    (divides_cell_by_cell, "the ratios at each severity"),
    (divides_all_at_once, "one ratio of all"),
    (adds_up_over_corruptions, "a row is a corruption"),
    (forgets_the_baseline, "not divided by the baseline's"),
    (turns_the_ratio_over, "upside down"),
    (adds_up_the_ratios, "the sum over the corruptions"),
    (compares_accuracies, "a ratio of accuracies"),
    (takes_differences, "a difference of errors"),
    (takes_the_worst_severity, "only the highest severity"),
    (takes_the_median, "the median"),
    (forgets_the_clean_errors, "the errors on clean images are not subtracted"),
    (subtracts_them_twice, "that is the second number"),
    (forgets_the_baselines_clean_error, "the baseline's error on clean images is not subtracted"),
    (forgets_its_own_clean_error, "the network's own error"),
    (subtracts_one_clean_error_from_both, "subtracted from both"),
    (subtracts_the_clean_error_once, "once for every severity"),
    (divides_before_it_subtracts, "subtract first"),
    (divides_the_rises_cell_by_cell, "the ratios at each severity"),
    (exchanges_the_two, "that is the second number"),
    (works_in_place, "in place"),
]

RIGHT = [row_by_row, by_means, in_numpy]
