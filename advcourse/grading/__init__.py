"""From a folder of submissions to marks and feedback."""
