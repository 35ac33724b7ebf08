"""What of a notebook counts: its statements, what they call, and the work among them. Nothing is executed here."""
