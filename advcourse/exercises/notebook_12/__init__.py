"""The exercises of notebook 12: what we know about images, and what an attacker does with the rest."""
