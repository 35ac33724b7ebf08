"""The exercises of notebook 11: augmentation."""
