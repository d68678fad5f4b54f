"""Replacement: what stands in the place of personal data, and what is filed about it."""
