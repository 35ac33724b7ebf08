"""Sounds under attack: waveforms, shape (N, T) with values in [-1, 1], and networks that listen to them.

Measured by levels, noise and hearing; heard by mel and networks, which hardening and strings train; attacked by
budgets for `attacks.pgd`, below the threshold of hearing (hidden), through rooms, as strings of words (ctc); defended
by compression; played and drawn by players and pictures. Attacks of the library take waveforms as they are, with
low=-1 and high=1.
"""
