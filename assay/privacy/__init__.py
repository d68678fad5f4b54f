"""Privacy: where personal data are in a text, and what stands there instead."""
