"""Measurement: how much of what should be masked is, from seeded values, two detectors, and a person's reading."""
