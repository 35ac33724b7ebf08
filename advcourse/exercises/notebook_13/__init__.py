"""The exercises of notebook 13: spam filters, and what gets past them."""
