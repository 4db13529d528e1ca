"""Market data: what was traded where, kept, generated, replayed and shared. Knows `domain` only."""
