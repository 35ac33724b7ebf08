"""An image that is printed and photographed, simulated: perspective, lighting, blur, sensor noise, JPEG.

An attacker in the real world does not reach the camera's memory: what the model sees has been on paper and through a
lens. `print_photo` is that channel, random at each call; gradients pass through all of it, so it can also be attacked.
Rounding, which has no useful gradient, passes it on as if it were not there ("straight through").
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

# The quantisation tables of the JPEG standard (ITU-T T.81, Annex K) for quality 50.
LUMINANCE = torch.tensor([
    [16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56], [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77], [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101], [72, 92, 95, 98, 112, 100, 103, 99]])
CHROMINANCE = torch.tensor([
    [17, 18, 24, 47, 99, 99, 99, 99], [18, 21, 26, 66, 99, 99, 99, 99],
    [24, 26, 56, 99, 99, 99, 99, 99], [47, 66, 99, 99, 99, 99, 99, 99], *[[99] * 8] * 4])


def print_photo(x: Tensor, *, perspective: float = 0.08, lighting: float = 0.2, blur: float = 0.7, noise: float = 0.03,
                quality: int | None = 75, generator: torch.Generator | None = None) -> Tensor:
    """Images as a camera sees their prints, drawn at random; differentiable with respect to x.

    x: floating-point images in [0, 1], shape (N, C, H, W). Each has its own draws, in this order:
    perspective: in [0, 0.5): every corner moves by up to this share of the side, uniformly; the rim's colour continues
        outside.
    lighting: at least 0: contrast in 1 ± lighting / 2, brightness ± lighting / 4, and a light that falls off linearly
        in a random direction by up to lighting.
    blur: at least 0: a Gaussian lens blur of a standard deviation in [0, blur] pixels.
    noise: at least 0: the sensor's, Gaussian of standard deviation noise · sqrt((1 + 3 x) / 4): photons make bright
        pixels noisier.
    quality: of the JPEG file, 1 to 100, which also rounds to 8 bits; None leaves this out.
    generator: on x's device. None: the numbers come from torch's global generator, as in torchvision's transforms: so
        it is a transform for `eot`, and `lambda x: model(print_photo(x))` is the model behind a camera.
    Returns images of the shape of x, in [0, 1].
    Raises ValueError where an argument is not as said here.

    After the photographs of Kurakin, Goodfellow, Bengio, "Adversarial examples in the physical world", 2017, section 3;
    simulated here.
    """
    if x.dim() != 4 or not x.is_floating_point():
        raise ValueError(f"x must be floating-point images of shape (N, channels, height, width); got {x.dtype} of "
                         f"shape {tuple(x.shape)}")
    for name, value in (("perspective", perspective), ("lighting", lighting), ("blur", blur), ("noise", noise)):
        if not (isinstance(value, (int, float)) and 0 <= value < math.inf):
            raise ValueError(f"{name} must be a number of at least 0; got {value!r}")
    if perspective >= 0.5:
        raise ValueError(f"perspective must be below 0.5, or corners would meet; got {perspective!r}")
    if x.numel() == 0:
        return x.clone()

    def draw(*shape):
        return torch.rand(len(x), *shape, generator=generator, device=x.device, dtype=x.dtype)

    def between(low, high):
        return low + (high - low) * draw(1, 1, 1)

    if perspective:
        x = tilt(x, 2 * perspective * (2 * draw(4, 2) - 1))
    if lighting:
        angle = 2 * math.pi * draw(1, 1, 1)
        across = torch.linspace(-0.5, 0.5, x.shape[3], device=x.device, dtype=x.dtype)
        along = torch.linspace(-0.5, 0.5, x.shape[2], device=x.device, dtype=x.dtype)[:, None]
        light = 1 + between(0, lighting) * (angle.cos() * across + angle.sin() * along)
        x = light * (x * between(1 - lighting / 2, 1 + lighting / 2) + between(-lighting / 4, lighting / 4))
    if blur:
        x = gaussian_blur(x, between(0, blur).flatten())
    if noise:
        standard = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
        x = x + noise * ((1 + 3 * x.clamp(0, 1)) / 4).sqrt() * standard
    return x.clamp(0, 1) if quality is None else jpeg(x.clamp(0, 1), quality)


def tilt(x: Tensor, corners: Tensor) -> Tensor:
    """The images seen at an angle.

    corners: shape (N, 4, 2), by how much the source of each corner of the result moves, right and down, in units of
        half the side; order: top left, top right, bottom left, bottom right.
    """
    square = x.new_tensor([[-1, -1], [1, -1], [-1, 1], [1, 1]])
    source = square + corners.to(x.dtype)
    # A homography (a b c; d e f; g h 1) takes (u, v) to ((a u + b v + c) / (g u + h v + 1), ...): 8 linear equations
    # from 4 corners.
    u, v = square.expand_as(source).unbind(2)
    s, t = source.unbind(2)
    one, zero = torch.ones_like(u), torch.zeros_like(u)
    equations = torch.cat([torch.stack([u, v, one, zero, zero, zero, -u * s, -v * s], 2),
                           torch.stack([zero, zero, zero, u, v, one, -u * t, -v * t], 2)], 1)
    numbers = torch.linalg.solve(equations, torch.cat([s, t], 1))
    homography = torch.cat([numbers, one[:, :1]], 1).view(-1, 3, 3)
    height, width = x.shape[2:]
    rows = (2 * torch.arange(height, device=x.device, dtype=x.dtype) + 1) / height - 1
    columns = (2 * torch.arange(width, device=x.device, dtype=x.dtype) + 1) / width - 1
    points = torch.stack([columns.expand(height, -1), rows[:, None].expand(-1, width), torch.ones_like(x[0, 0])], 2)
    mapped = points.view(1, -1, 3) @ homography.transpose(1, 2)
    grid = (mapped[..., :2] / mapped[..., 2:]).view(-1, height, width, 2)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def gaussian_blur(x: Tensor, sigma: Tensor) -> Tensor:
    """Each image blurred by a Gaussian of its own standard deviation in pixels, sigma, shape (N,); 0 leaves it."""
    images, channels, height, width = x.shape
    reach = max(1, math.ceil(3 * float(sigma.max())))
    offsets = torch.arange(-reach, reach + 1, device=x.device, dtype=x.dtype)
    # The Gaussian integrated over each pixel, so that a sigma far below a pixel becomes the identity instead of 0 / 0.
    scale = sigma.to(x.dtype).clamp_min(1e-3)[:, None] * math.sqrt(2)
    kernel = torch.erf((offsets + 0.5) / scale) - torch.erf((offsets - 0.5) / scale)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    # One group per image and channel: every image has its own kernel. The rim's pixels continue outside.
    planes = F.pad(x, (reach, reach, reach, reach), mode="replicate")
    planes = planes.reshape(1, images * channels, height + 2 * reach, width + 2 * reach)
    planes = F.conv2d(planes, kernel[:, None, None, :], groups=images * channels)
    planes = F.conv2d(planes, kernel[:, None, :, None], groups=images * channels)
    return planes.view(x.shape)


def jpeg(x: Tensor, quality: int = 75) -> Tensor:
    """The images x, shape (N, C, H, W) in [0, 1], after JPEG: 8 × 8 cosine transform, quantisation, back, 8 bits.

    Three channels are taken as RGB and go through Y'CbCr at full resolution (4:4:4); of any other number each channel
    is a grey image. Rounding passes the gradient straight through (Shin and Song, "JPEG-resistant adversarial images",
    2017, smooth it instead).
    """
    if isinstance(quality, bool) or not isinstance(quality, int) or not 1 <= quality <= 100:
        raise ValueError(f"quality must be an integer from 1 to 100; got {quality!r}")
    levels = _round(255 * x)
    colour = x.shape[1] == 3
    centre = x.new_tensor([0, 128, 128]).view(1, 3, 1, 1)
    if colour:
        to_ycc = x.new_tensor([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
        levels = _round(torch.einsum("ij,njhw->nihw", to_ycc, levels) + centre)
    levels = _round(_quantised_blocks(levels - 128, _tables(quality, colour).to(x)) + 128).clamp(0, 255)
    if colour:
        to_rgb = x.new_tensor([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]])
        levels = _round(torch.einsum("ij,njhw->nihw", to_rgb, levels - centre))
    return levels.clamp(0, 255) / 255


def _tables(quality, colour):
    """The standard's tables, one for each channel, scaled by the quality: whole numbers from 1 to 255."""
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    tables = torch.stack([LUMINANCE, CHROMINANCE, CHROMINANCE] if colour else [LUMINANCE])
    return ((tables * percent + 50) // 100).clamp(1, 255)


def _quantised_blocks(levels, tables):
    """The levels, (N, C, H, W), with the cosine transform of every 8 × 8 block rounded to multiples of the table."""
    height, width = levels.shape[2:]
    padded = F.pad(levels, (0, -width % 8, 0, -height % 8), mode="replicate")
    blocks = padded.unfold(2, 8, 8).unfold(3, 8, 8)  # (N, C, rows of blocks, columns of blocks, 8, 8)
    place = torch.arange(8, device=levels.device, dtype=levels.dtype)
    cosine = torch.cos(math.pi / 8 * (place + 0.5) * place[:, None]) / 2  # (frequency, place)
    cosine = torch.cat([cosine[:1] / math.sqrt(2), cosine[1:]])  # an orthogonal matrix: its transpose is the way back
    table = tables[:, None, None]
    blocks = cosine.T @ (_round(cosine @ blocks @ cosine.T / table) * table) @ cosine
    return blocks.permute(0, 1, 2, 4, 3, 5).reshape(padded.shape)[:, :, :height, :width]


def _round(values):
    """Rounded, with the gradient of the identity."""
    return values + (values.round() - values).detach()
