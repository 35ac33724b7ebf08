"""The exercises of notebook 05: attacks on few pixels, and attacks that only ask."""
