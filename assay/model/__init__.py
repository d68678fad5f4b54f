"""Model: the base, how it is spoken to, and the adapter that is learned."""
