"""Detection: where in a text personal data are, by rules, by taggers, and by what a record's own columns give away."""
