"""The API: one FastAPI application over a running engine and its journal, and `/ws`."""
