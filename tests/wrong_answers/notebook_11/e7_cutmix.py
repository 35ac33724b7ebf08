"""Plausible wrong answers to exercise 11.7, each with a part of the message that it should get, and right ones."""

import torch


def mixed_by(paste=None, share=None, cut=True):
    """An answer in a loop: `paste` writes into a copy, `share` gives the partner's share, of the cut box."""
    paste, share = paste or paste_right, share or share_right

    def answer(x, y, partner, boxes):
        images, labels = x.clone(), y.clone()
        height, width = x.shape[2:]
        for i, box in enumerate(boxes.tolist()):
            left, top, right, bottom = box
            if cut:
                box = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
            paste(images, x, i, partner[i], box)
            lam = share(box, boxes[i].tolist(), width, height)
            labels[i] = (1 - lam) * y[i] + lam * y[partner[i]]
        return images, labels

    return answer


def paste_right(images, x, i, k, box):
    left, top, right, bottom = box
    images[i, :, top:bottom, left:right] = x[k, :, top:bottom, left:right]


def share_right(box, drawn, width, height):
    left, top, right, bottom = box
    return (right - left) * (bottom - top) / (width * height)


def does_nothing(x, y, partner, boxes):
    return x, y


def takes_the_partner(x, y, partner, boxes):
    return x[partner], y[partner]


def forgets_the_labels(x, y, partner, boxes):
    return mixed_by()(x, y, partner, boxes)[0], y


def takes_the_partners_labels(x, y, partner, boxes):
    return mixed_by()(x, y, partner, boxes)[0], y[partner]


def exchanges_the_shares(x, y, partner, boxes):
    return mixed_by(share=lambda *given: 1 - share_right(*given))(x, y, partner, boxes)


def counts_what_was_drawn(x, y, partner, boxes):
    return mixed_by(share=lambda box, drawn, width, height: share_right(drawn, box, width, height))(
        x, y, partner, boxes)


def counts_what_was_drawn_up_to_one(x, y, partner, boxes):
    return mixed_by(share=lambda box, drawn, width, height: min(1, share_right(drawn, box, width, height)))(
        x, y, partner, boxes)


def takes_half_of_each_label(x, y, partner, boxes):
    return mixed_by(share=lambda *given: 0.5)(x, y, partner, boxes)


def keeps_the_likelier_label(x, y, partner, boxes):
    return mixed_by(share=lambda *given: float(share_right(*given) > 0.5))(x, y, partner, boxes)


def has_one_share_for_all(x, y, partner, boxes):
    images, _ = mixed_by()(x, y, partner, boxes)
    share = sum(share_right((max(a, 0), max(b, 0), min(c, 6), min(d, 4)), None, 6, 4)
                for a, b, c, d in boxes.tolist()) / len(x)
    return images, (1 - share) * y + share * y[partner]


def counts_the_width_alone(x, y, partner, boxes):
    return mixed_by(share=lambda box, drawn, width, height: (box[2] - box[0]) / width)(x, y, partner, boxes)


def adds_the_partners_label(x, y, partner, boxes):
    images, _ = mixed_by()(x, y, partner, boxes)
    share = torch.tensor([share_right((max(a, 0), max(b, 0), min(c, 6), min(d, 4)), None, 6, 4)
                          for a, b, c, d in boxes.tolist()])
    return images, y + share[:, None] * y[partner]


def pastes_the_wrong_way_round(x, y, partner, boxes):
    images, labels = mixed_by()(x, y, partner, boxes)
    inside = images != x
    return torch.where(inside, x, x[partner]), labels


def exchanges_x_and_y(x, y, partner, boxes):
    def paste(images, x, i, k, box):
        left, top, right, bottom = box
        images[i, :, left:right, top:bottom] = x[k, :, left:right, top:bottom]
    images, _ = mixed_by(paste, cut=False)(x, y, partner, boxes.clamp_min(0))
    return images, mixed_by()(x, y, partner, boxes)[1]


def reads_what_it_wrote(x, y, partner, boxes):
    def paste(images, x, i, k, box):
        paste_right(images, images.clone(), i, k, box)
    return mixed_by(paste)(x, y, partner, boxes)


def slices_from_negative_places(x, y, partner, boxes):
    return mixed_by(cut=False)(x, y, partner, boxes)[0], mixed_by()(x, y, partner, boxes)[1]


def includes_the_border(x, y, partner, boxes):
    def paste(images, x, i, k, box):
        left, top, right, bottom = box
        images[i, :, top:bottom + 1, left:right + 1] = x[k, :, top:bottom + 1, left:right + 1]
    return mixed_by(paste)(x, y, partner, boxes)


def fills_the_box_with_nothing(x, y, partner, boxes):
    def paste(images, x, i, k, box):
        left, top, right, bottom = box
        images[i, :, top:bottom, left:right] = 0
    return mixed_by(paste)(x, y, partner, boxes)


def takes_the_partners_box(x, y, partner, boxes):
    return mixed_by()(x, y, partner, boxes[partner])[0], mixed_by()(x, y, partner, boxes)[1]


def mixes_up(x, y, partner, boxes):
    labels = mixed_by()(x, y, partner, boxes)[1]
    share = torch.tensor([share_right((max(a, 0), max(b, 0), min(c, 6), min(d, 4)), None, 6, 4)
                          for a, b, c, d in boxes.tolist()]).view(-1, 1, 1, 1)
    return (1 - share) * x + share * x[partner], labels


def takes_the_neighbour(x, y, partner, boxes):
    neighbour = (torch.arange(len(x)) - 1) % len(x)
    return mixed_by()(x, y, neighbour, boxes)[0], mixed_by()(x, y, partner, boxes)[1]


def writes_into_the_batch(x, y, partner, boxes):
    original, labels = x.clone(), mixed_by()(x, y, partner, boxes)[1]
    for i, (left, top, right, bottom) in enumerate(boxes.clamp(min=0).tolist()):
        x[i, :, top:bottom, left:right] = original[partner[i], :, top:bottom, left:right]
    return x, labels


def returns_the_images_alone(x, y, partner, boxes):
    return mixed_by()(x, y, partner, boxes)[0]


def in_a_loop(x, y, partner, boxes):
    return mixed_by()(x, y, partner, boxes)


def with_masks(x, y, partner, boxes):
    rows, columns = torch.arange(x.shape[2]).view(1, -1, 1), torch.arange(x.shape[3]).view(1, 1, -1)
    left, top, right, bottom = (edge.view(-1, 1, 1) for edge in boxes.T)
    mask = ((rows >= top) & (rows < bottom) & (columns >= left) & (columns < right))[:, None].double()
    share = mask.mean((1, 2, 3))[:, None]
    return [x + mask * (x[partner] - x), y + share * (y[partner] - y)]


def with_clamps(x, y, partner, boxes):
    height, width = x.shape[-2:]
    cut = torch.stack([boxes[:, 0].clamp(0, width), boxes[:, 1].clamp(0, height),
                       boxes[:, 2].clamp(0, width), boxes[:, 3].clamp(0, height)], 1)
    images = x.clone()
    for i, (left, top, right, bottom) in enumerate(cut):
        images[i, ..., top:bottom, left:right] = x[partner[i], ..., top:bottom, left:right]
    share = ((cut[:, 2] - cut[:, 0]) * (cut[:, 3] - cut[:, 1]) / (height * width)).unsqueeze(1)
    return images.numpy(), torch.lerp(y, y[partner], share.expand_as(y))


WRONG = [
    (does_nothing, "the images come back as they were"),
    (takes_the_partner, "is taken whole"),
    (forgets_the_labels, "the labels come back as they were"),
    (takes_the_partners_labels, "the partners' labels alone"),
    (exchanges_the_shares, "the shares are exchanged"),
    (counts_what_was_drawn, "as it was drawn"),
    (counts_what_was_drawn_up_to_one, "cut to 1"),
    (takes_half_of_each_label, "count half each"),
    (keeps_the_likelier_label, "takes the whole label"),
    (has_one_share_for_all, "the mean share"),
    (counts_the_width_alone, "that of the width alone"),
    (adds_the_partners_label, "comes on top"),
    (pastes_the_wrong_way_round, "inside and outside are exchanged"),
    (exchanges_x_and_y, "x and y of the box"),
    (reads_what_it_wrote, "that have been written to"),
    (slices_from_negative_places, "count from the end"),
    (includes_the_border, "it ends before them"),
    (fills_the_box_with_nothing, "filled with 0"),
    (takes_the_partners_box, "the box is the partner's"),
    (mixes_up, "this is mixup"),
    (takes_the_neighbour, "the neighbour in the batch"),
    (writes_into_the_batch, "changes `x` in place"),
    (returns_the_images_alone, "is wanted"),
]

RIGHT = [in_a_loop, with_masks, with_clamps]
