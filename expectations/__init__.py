"""What must hold of the data at each doorway: suites that a data steward reads, edits and diffs.

``suite`` is a suite and ``reading`` reads it strictly; ``catalogue`` lists what may be asked and ``customs``
adds what Great Expectations lacks; ``gate`` runs a suite over shards by way of ``engine``; ``outcome`` is
what a gate found, and ``page`` shows it. Nothing that leaves this room holds a value from a record: counts
and row ids only.
"""
