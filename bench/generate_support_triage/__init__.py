"""A seeded generator of customer messages and their triage, with gold personal data and planted flaws.

``python -m bench.generate_support_triage --out recipes/support_triage/data`` writes four files:
``tickets.jsonl`` to learn from, ``heldout.jsonl`` whose wordings occur nowhere in the tickets,
``personal_data.jsonl`` with the offsets of every personal value, and ``flaws.jsonl`` with every row
that a pipeline should notice. Equal arguments give equal bytes.

Nobody in it exists. Names are put together from syllables; numbers come from ranges that are
reserved for fiction, documentation or tests, wherever such a range exists.
"""
