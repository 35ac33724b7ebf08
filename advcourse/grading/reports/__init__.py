"""From marks to what people and other programs read."""
