"""From what a learning platform gives to submissions: archives, whose they are, who is in the class, what is late."""
