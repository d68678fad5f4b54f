"""What a person types. It parses, calls one flow or one method, and prints; it decides nothing."""
