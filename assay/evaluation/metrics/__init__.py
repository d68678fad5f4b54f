"""Metrics: one ``evaluate.Metric`` a file, ours, offline.

Each takes ``predictions`` and ``references``, both texts, and gives the mean under its own name; with
``per_item=True`` it gives ``{"items": [...]}`` instead, one score a pair, so that the number in a
report and the numbers that a paired test needs have one definition. Each is used as a class::

    ExactMatch(keep_in_memory=True).compute(predictions=["{}"], references=["{ }"])

or by path, as any module of the ``evaluate`` library: ``evaluate.load("…/exact_match.py")``. A file
imports this package by its full name, one import a line, because that library reads imports with a
regular expression. Keyword arguments that a metric does not know are ignored, so that
``evaluate.combine`` can hand all of them to all.
"""
