"""What every function here asks of its images, and of one number for each of them."""

import torch
from torch import Tensor


def check_images(x: Tensor) -> None:
    """ValueError unless x is a batch of images, (N, C, H, W), floating point and in [0, 1]."""
    if not isinstance(x, Tensor) or x.dim() != 4:
        shape = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
        raise ValueError(f"images must be a tensor of shape (N, C, H, W); got {shape} (one image: x[None])")
    if not x.is_floating_point():
        raise ValueError(f"images must be floating point in [0, 1]; got {x.dtype} (for uint8: x / 255)")
    if x.numel():
        low, high = x.detach().aminmax()
        if not (low >= 0 and high <= 1):
            raise ValueError(f"images must lie in [0, 1]; got values from {low:.4g} to {high:.4g}")


def per_image(what: str, values: float | Tensor, x: Tensor) -> Tensor:
    """One number for all images of x or one for each, as a tensor that broadcasts over them: (N, 1, 1, 1), float32 or
    float64. ValueError where there is another number of them."""
    dtype = torch.promote_types(x.dtype, torch.float32)
    values = torch.as_tensor(values, dtype=dtype, device=x.device)
    if values.shape not in ((), (len(x),)):
        raise ValueError(f"{what} must be one number, or one for each of the {len(x)} images; got shape "
                         f"{tuple(values.shape)}")
    return values.expand(len(x)).view(-1, 1, 1, 1)


def check_boxes(boxes: Tensor, count: int) -> None:
    """ValueError unless boxes are (count, 4): left, top, width and height as shares of the image, and inside it."""
    if boxes.shape != (count, 4):
        raise ValueError(f"boxes must have shape ({count}, 4): left, top, width, height; got {tuple(boxes.shape)}")
    if count and not (boxes.min() >= 0 and (boxes[:, :2] + boxes[:, 2:]).max() <= 1 + 1e-6):
        raise ValueError("boxes must lie inside the image: left, top, width and height at least 0, left + width and "
                         "top + height at most 1 (shares of the image, not pixels)")
