"""The exercises of notebook 99, which is only there for the tests."""
