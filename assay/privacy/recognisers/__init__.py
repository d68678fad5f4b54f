"""Recognisers: detectors of an organisation's own, opened from local bytes that a digest names."""
