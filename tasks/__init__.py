"""Prefect's side of each step: load references, call one method, file the result."""
