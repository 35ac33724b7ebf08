"""From a folder of untrusted notebooks to marks and feedback."""
