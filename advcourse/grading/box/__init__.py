"""The box that a student's code runs in, and what passes between it and the grader."""
