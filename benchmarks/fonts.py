"""How fast letters are made, on two cores: python benchmarks/fonts.py (the goal: 20,000 images in under 10 s)."""

import time

import torch

from advcourse.data import fonts

IMAGES = 20_000

torch.set_num_threads(2)
begin = time.perf_counter()
x, y, font, theta = fonts.generate(IMAGES)
print(f"{IMAGES:,} images, the reading of the glyphs included: {time.perf_counter() - begin:.2f} s")

begin = time.perf_counter()
fonts.generate(IMAGES, seed=1)
print(f"{IMAGES:,} images, the glyphs read before: {time.perf_counter() - begin:.2f} s")

theta = theta[:1000].requires_grad_()
begin = time.perf_counter()
fonts.decode(font[:1000], y[:1000], theta).sum().backward()
print(f"1,000 images and their gradients with respect to theta: {time.perf_counter() - begin:.2f} s")
