"""Models that answer from afar, and how to copy them: a service of labels alone (remote), and the substitute of it."""
