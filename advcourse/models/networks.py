"""The networks of the course: from images in [0, 1], shape (N, C, H, W), to logits (N, classes).

The shape is that of one image, (C, H, W). The weights are drawn from torch's global generator, as in any `nn.Module`.
"""

from torch import nn


def softmax_regression(shape: tuple[int, int, int] = (1, 28, 28), classes: int = 10) -> nn.Sequential:
    """Softmax (multinomial logistic) regression: logits = W x + b, the linear model of the course.

    shape: of one image, (C, H, W); classes: how many, at least 2. Raises ValueError where they are not so.
    """
    inputs = _pixels(shape)
    _check_classes(classes)
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, classes))


def mlp(shape: tuple[int, int, int] = (1, 28, 28), classes: int = 10, hidden: int = 128) -> nn.Sequential:
    """A multilayer perceptron with two hidden layers of `hidden` ReLU units.

    shape: of one image, (C, H, W); classes: how many, at least 2. Raises ValueError where they are not so.
    """
    inputs = _pixels(shape)
    _check_classes(classes)
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(inputs, hidden),
        nn.ReLU(),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Linear(hidden, classes),
    )


def cnn(shape: tuple[int, int, int] = (1, 28, 28), classes: int = 10) -> nn.Sequential:
    """A small convolutional network: two 4x4 convolutions of stride 2, then 100 hidden units.

    Strides in place of pooling make it about twenty times cheaper than the usual MNIST network: 0.6 million
    multiplications for a 28x28 image.
    shape: of one image, (C, H, W), H and W multiples of 4, as 28 and 32 are; classes: how many, at least 2. Raises
    ValueError where they are not so.
    """
    _pixels(shape)
    _check_classes(classes)
    channels, height, width = shape
    if height % 4 or width % 4:
        raise ValueError("the cnn halves its images twice: height and width must be multiples of 4, "
                         f"got {tuple(shape)}")
    return nn.Sequential(
        nn.Conv2d(channels, 16, kernel_size=4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, kernel_size=4, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * (height // 4) * (width // 4), 100),
        nn.ReLU(),
        nn.Linear(100, classes),
    )


def pooling_cnn(shape: tuple[int, int, int] = (1, 28, 28), classes: int = 10) -> nn.Sequential:
    """A convolutional network that forgets where things are: three 3x3 convolutions, and each feature's maximum.

    Batch normalisation makes it learn in few steps; about four times the work of `cnn` on the same image.
    shape: of one image, (C, H, W), H and W at least 4; classes: how many, at least 2. Raises ValueError where they are
    not so.
    """
    _pixels(shape)
    _check_classes(classes)
    channels, height, width = shape
    if min(height, width) < 4:
        raise ValueError(f"the pooling_cnn halves its images twice: at least 4 by 4 pixels; got {tuple(shape)}")
    layers = []
    for inputs, outputs in ((channels, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers[:-1], nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(64, classes))


def _pixels(shape):
    """How many numbers an image has; ValueError unless the shape is (channels, height, width)."""
    shape = tuple(shape)
    if len(shape) != 3 or min(shape) < 1:
        raise ValueError("shape must be that of one image, (channels, "
                         f"height, width), such as (1, 28, 28); got {shape}")
    channels, height, width = shape
    return channels * height * width


def _check_classes(classes):
    if classes < 2:
        raise ValueError(f"classes must be at least 2, got {classes}")
