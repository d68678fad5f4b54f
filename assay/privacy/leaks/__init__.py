"""Leaks: whether what was masked is anywhere among everything that a run persisted."""
