"""Plausible wrong answers to exercise 14.3, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch


def level(x, x_adv):
    return 20 * ((x_adv - x).abs().amax(1) / x.abs().amax(1)).log10()


def cut(z, frame):
    count = z.shape[1] // frame
    return z[:, :count * frame].reshape(len(z), count, frame)


def segmental(x, x_adv, frame):
    signal, noise = cut(x, frame).square().sum(2), cut(x_adv - x, frame).square().sum(2)
    sounds = signal > 0
    ratio = torch.where(sounds, 10 * (signal / noise).log10(), 0).clamp(-10, 35)
    return (ratio * sounds).sum(1) / sounds.sum(1)


def takes_a_factor_of_ten(x, x_adv, frame):
    return level(x, x_adv) / 2, segmental(x, x_adv, frame)


def turns_the_level(x, x_adv, frame):
    return -level(x, x_adv), segmental(x, x_adv, frame)


def takes_root_mean_squares(x, x_adv, frame):
    return (10 * ((x_adv - x).square().mean(1) / x.square().mean(1)).log10(), segmental(x, x_adv, frame))


def takes_x_adv_for_the_change(x, x_adv, frame):
    return 20 * (x_adv.abs().amax(1) / x.abs().amax(1)).log10(), segmental(x, x_adv, frame)


def forgets_negative_samples(x, x_adv, frame):
    return 20 * ((x_adv - x).amax(1) / x.amax(1)).log10(), segmental(x, x_adv, frame)


def takes_the_batch_peak(x, x_adv, frame):
    return 20 * ((x_adv - x).abs().amax(1) / x.abs().max()).log10(), segmental(x, x_adv, frame)


def takes_natural_logarithms(x, x_adv, frame):
    return 20 * ((x_adv - x).abs().amax(1) / x.abs().amax(1)).log(), segmental(x, x_adv, frame)


def doubles_the_segments(x, x_adv, frame):
    signal, noise = cut(x, frame).square().sum(2), cut(x_adv - x, frame).square().sum(2)
    ratio = torch.where(signal > 0, 20 * (signal / noise).log10(), 0).clamp(-10, 35)
    return level(x, x_adv), (ratio * (signal > 0)).sum(1) / (signal > 0).sum(1)


def takes_one_ratio(x, x_adv, frame):
    whole = x.shape[1] // frame * frame
    x, x_adv = x[:, :whole], x_adv[:, :whole]
    return level(x, x_adv), 10 * (x.square().sum(1) / (x_adv - x).square().sum(1)).log10()


def counts_silence(x, x_adv, frame):
    signal, noise = cut(x, frame).square().sum(2), cut(x_adv - x, frame).square().sum(2)
    return level(x, x_adv), (10 * (signal / noise).log10()).clamp(-10, 35).mean(1)


def does_not_limit(x, x_adv, frame):
    signal, noise = cut(x, frame).square().sum(2), cut(x_adv - x, frame).square().sum(2)
    sounds = signal > 0
    return level(x, x_adv), torch.where(sounds, 10 * (signal / noise).log10(), 0).sum(1) / sounds.sum(1)


def limits_the_mean(x, x_adv, frame):
    signal, noise = cut(x, frame).square().sum(2), cut(x_adv - x, frame).square().sum(2)
    sounds = signal > 0
    mean = torch.where(sounds, 10 * (signal / noise).log10(), 0).sum(1) / sounds.sum(1)
    return level(x, x_adv), mean.clamp(-10, 35)


def leaves_out_the_unchanged(x, x_adv, frame):
    signal, noise = cut(x, frame).square().sum(2), cut(x_adv - x, frame).square().sum(2)
    counts = (signal > 0) & (noise > 0)
    ratio = torch.where(counts, 10 * (signal / noise).log10(), 0).clamp(-10, 35)
    return level(x, x_adv), ratio.sum(1) / counts.sum(1)


def takes_x_adv_for_the_noise(x, x_adv, frame):
    signal, noise = cut(x, frame).square().sum(2), cut(x_adv, frame).square().sum(2)
    ratio = torch.where(signal > 0, 10 * (signal / noise).log10(), 0).clamp(-10, 35)
    return level(x, x_adv), ratio.sum(1) / (signal > 0).sum(1)


def counts_the_rest(x, x_adv, frame):
    missing = -x.shape[1] % frame
    padded = [torch.nn.functional.pad(z, (0, missing)) for z in (x, x_adv)]
    return level(x, x_adv), segmental(*padded, frame)


def reshapes_the_wrong_way(x, x_adv, frame):
    count = x.shape[1] // frame
    signal, noise = (z[:, :count * frame].reshape(len(z), frame, count).square().sum(1) for z in (x, x_adv - x))
    ratio = torch.where(signal > 0, 10 * (signal / noise).log10(), 0).clamp(-10, 35)
    return level(x, x_adv), ratio.sum(1) / (signal > 0).sum(1)


def gives_one_number(x, x_adv, frame):
    return level(x, x_adv).mean(), segmental(x, x_adv, frame).mean()


def loops(x, x_adv, frame):
    levels, means = [], []
    for clean, changed in zip(x.double(), x_adv.double(), strict=True):
        delta = changed - clean
        levels.append(20 * torch.log10(delta.abs().max() / clean.abs().max()))
        ratios = []
        for start in range(0, len(clean) - frame + 1, frame):
            signal, noise = (z[start:start + frame].square().sum().item() for z in (clean, delta))
            if signal:
                ratios.append(35.0 if noise == 0 else min(max(10 * np.log10(signal / noise), -10), 35))
        means.append(sum(ratios) / len(ratios))
    return torch.stack(levels), torch.tensor(means)


def uses_numpy(x, x_adv, frame):
    x, delta = x.numpy(), (x_adv - x).numpy()
    count = x.shape[1] // frame
    signal, noise = (np.mean(z[:, :count * frame].reshape(len(z), count, frame) ** 2, axis=2) for z in (x, delta))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(signal > 0, np.clip(10 * np.log10(signal / noise), -10, 35), np.nan)
    return 20 * np.log10(np.abs(delta).max(1) / np.abs(x).max(1)), np.nanmean(ratio, axis=1)


def takes_norms_and_a_small_number(x, x_adv, frame):
    delta = x_adv - x
    count = x.shape[1] // frame
    signal, noise = (z[:, :count * frame].unfold(1, frame, frame).norm(dim=2) for z in (x, delta))
    ratio = 20 * torch.log10(signal / (noise + 1e-12))
    sounds = signal > 0
    means = [row[keep].clip(-10, 35).mean() for row, keep in zip(ratio, sounds, strict=True)]
    return [20 * torch.log10(delta.abs().max(1).values / x.abs().max(1).values), torch.stack(means)]


WRONG = [
    (takes_a_factor_of_ten, "the level has a factor of 10"),
    (turns_the_level, "the level has the wrong sign"),
    (takes_root_mean_squares, "root mean squares"),
    (takes_x_adv_for_the_change, "δ is x_adv − x"),
    (forgets_negative_samples, "without their signs removed"),
    (takes_the_batch_peak, "of the whole batch"),
    (takes_natural_logarithms, "the level takes the natural logarithm"),
    (doubles_the_segments, "the segments have a factor of 20"),
    (takes_one_ratio, "one SNR of the whole sound"),
    (counts_silence, "silent"),
    (does_not_limit, "is not finite"),
    (limits_the_mean, "put the limits on each segment"),
    (leaves_out_the_unchanged, "without any change are left out"),
    (takes_x_adv_for_the_noise, "in place of the change"),
    (counts_the_rest, "the incomplete segment"),
    (reshapes_the_wrong_way, "in a row"),
    (gives_one_number, "is wanted"),
]

RIGHT = [loops, uses_numpy, takes_norms_and_a_small_number]
