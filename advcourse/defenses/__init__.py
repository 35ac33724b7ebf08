"""Defenses: training on adversarial examples, detecting them, proving that there are none; and defenses that only look like some."""
