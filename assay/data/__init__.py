"""Data: from an organisation's sources to three sides without repeats or quotations."""
