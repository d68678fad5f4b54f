"""Evaluation: what a model answers, what that is worth, and whether it may replace another."""
