"""Models that answer from afar, and how to copy what they do: a service of labels alone (remote), and the substitute of
it (substitute)."""
