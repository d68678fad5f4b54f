"""What must hold of the data at each doorway: suites that a data steward reads, edits and diffs.

``suite`` is a suite and ``reading`` reads it strictly; ``catalogue`` lists what may be asked and ``customs``
adds what Great Expectations lacks, from rules over ``cells``, ``moments``, ``examples`` and what is ``personal``.
``frames`` makes of records and answers what a ``gate`` runs a suite over, in ``tallies`` of rows and ``totals`` of
sets that ``engine`` has judged; ``waivers`` are ``pardons`` for what failed, and ``outcome`` is what was found.
Nothing that leaves this room holds a value from a record: counts and row ids only.
"""
