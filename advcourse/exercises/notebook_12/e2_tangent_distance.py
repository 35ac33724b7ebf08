"""12.2: the distance of two images that may both move in their tangent planes."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import telling_apart
from advcourse.exercises.properties import equals


def tangent_distance(x, x_tangents, y, y_tangents):
    matrix = torch.cat([x_tangents, -y_tangents]).T
    steps = torch.linalg.lstsq(matrix, (y - x)[:, None]).solution
    return ((x - y) + (matrix @ steps)[:, 0]).norm().item()


def to_span(gap, tangents):
    """What of the gap remains when all that lies along the tangents is taken off."""
    return (gap - tangents.T @ torch.linalg.lstsq(tangents.T, gap[:, None]).solution[:, 0]).norm().item()


def pair_probes(generator):
    """Pairs of which a part of the gap can be closed by either image, and tangents of very different lengths."""
    def draw():
        size = 30
        x_tangents, y_tangents = (torch.randn(4, size, generator=generator)
                                  * torch.tensor([3.0, 0.5, 1.0, 0.2])[:, None] for _ in range(2))
        x_tangents[1] += 0.4 * x_tangents[0]
        y = torch.randn(size, generator=generator)
        x = y + torch.randn(4, generator=generator) @ x_tangents + torch.randn(4, generator=generator) @ y_tangents
        return {"x": x + 0.7 * torch.randn(size, generator=generator), "x_tangents": x_tangents,
                "y": y, "y_tangents": y_tangents}

    return [telling_apart(draw, tangent_distance, list(MISTAKES.values()), apart=0.05) for _ in range(3)]


def projected_without_inverse(x, x_tangents, y, y_tangents):
    both = torch.cat([x_tangents, y_tangents])
    return ((x - y) - both.T @ (both @ (x - y))).norm().item()


def normalised_without_inverse(x, x_tangents, y, y_tangents):
    both = torch.cat([x_tangents, y_tangents])
    both = both / both.norm(dim=1, keepdim=True)
    return ((x - y) - both.T @ (both @ (x - y))).norm().item()


def one_after_the_other(x, x_tangents, y, y_tangents):
    gap = x - y
    gap = gap - x_tangents.T @ torch.linalg.lstsq(x_tangents.T, gap[:, None]).solution[:, 0]
    return to_span(gap, y_tangents)


MISTAKES = {
    "this is the Euclidean distance: neither image has moved":
        lambda x, x_tangents, y, y_tangents: (x - y).norm().item(),
    "only x moves here: y may move along its own tangents, too":
        lambda x, x_tangents, y, y_tangents: to_span(x - y, x_tangents),
    "only y moves here: x may move along its own tangents, too":
        lambda x, x_tangents, y, y_tangents: to_span(x - y, y_tangents),
    "this is the square of the distance: take the root at the end":
        lambda **probe: tangent_distance(**probe) ** 2,
    "you project with T Tᵀ, which is right for tangents at right angles and of length 1 only: solve the least squares "
    "(`torch.linalg.lstsq`), or take an orthonormal basis of both (`torch.linalg.qr`)": projected_without_inverse,
    "tangents of length 1 are not enough, they must be at right angles to each other, too, those of x to those of y "
    "as well: solve the least squares (`torch.linalg.lstsq`)": normalised_without_inverse,
    "first x moves as near as it can, then y: but the best steps of the two hang together. Solve for both at once, "
    "with the tangents of both in one matrix": one_after_the_other,
    "this is the length of the steps, not of what remains of the gap after them":
        lambda x, x_tangents, y, y_tangents: torch.linalg.lstsq(
            torch.cat([x_tangents, -y_tangents]).T, (y - x)[:, None]).solution.norm().item(),
    "this is the part of the gap that the tangents close; wanted is the part that remains":
        lambda x, x_tangents, y, y_tangents: max(
            (x - y).norm().item() ** 2 - tangent_distance(x, x_tangents, y, y_tangents) ** 2, 0) ** 0.5,
    "the steps go the wrong way: the gap grows by what it should lose. Check the sign of the right-hand side":
        lambda x, x_tangents, y, y_tangents: (4 * (x - y).norm().item() ** 2
                                              - 3 * tangent_distance(x, x_tangents, y, y_tangents) ** 2) ** 0.5,
    "this is the mean over the pixels; wanted is the Euclidean length of what remains":
        lambda **probe: tangent_distance(**probe) / len(probe["x"]) ** 0.5,
}


exercise = Exercise(
    number="12.2",
    title="Tangent distance",
    points=4,
    minutes=15,
    hints=(
        ("What is being minimised?",
         "‖x + T_xᵀ a − y − T_yᵀ b‖ over all a and b. With M = [T_xᵀ, −T_yᵀ] and c = (a, b) it is ‖M c − (y − x)‖: "
         "least squares."),
        ("Who solves it?",
         "`torch.linalg.lstsq(M, right_hand_side).solution`, with the right-hand side as a column. (Or: "
         "`torch.linalg.qr` of both tangents together gives a basis; take off the gap what lies along it.)"),
        ("Show me nearly all of it.",
         "`M = torch.cat([x_tangents, -y_tangents]).T`, `c = torch.linalg.lstsq(M, (y - x)[:, None]).solution`, and "
         "the norm of `(x - y) + (M @ c)[:, 0]`."),
    ),
    reference=tangent_distance,
    probes=pair_probes,
    properties={
        "it is the smallest distance between the two planes": equals(tangent_distance, MISTAKES, tolerance=2e-3),
    },
)
