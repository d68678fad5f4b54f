"""Reporting: the page on which a person judges a run."""
