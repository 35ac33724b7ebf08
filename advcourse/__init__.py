"""advcourse: a course workbook on adversarial machine learning."""

__version__ = "0.1.0"
