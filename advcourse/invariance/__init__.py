"""What we know about images: changes that leave the label as it is, put to work in training and measured afterwards."""

from advcourse.invariance.augmentation import Draws, apply, apply_to_labels, draws
from advcourse.invariance.colour import recolour
from advcourse.invariance.corruptions import CORRUPTIONS, corrupt
from advcourse.invariance.geometry import crop_boxes, crop_labels, flip, resized_crop, shift
from advcourse.invariance.mixing import cutmix, cutmix_boxes, mixup, mixup_weights
from advcourse.invariance.spoiling import add_noise, erase

__all__ = ["CORRUPTIONS", "Draws", "add_noise", "apply", "apply_to_labels", "corrupt", "crop_boxes", "crop_labels",
           "cutmix", "cutmix_boxes", "draws", "erase", "flip", "mixup", "mixup_weights", "recolour", "resized_crop",
           "shift"]
