"""Statuses: how a command ends, for the shell that called it."""

ACCEPTED, CRASHED, BAD_INPUT, REFUSED, INCONCLUSIVE = 0, 1, 2, 3, 4
