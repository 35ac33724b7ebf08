"""What we know of images: which changes leave the label as it is, and how a model is made to know it, too."""
