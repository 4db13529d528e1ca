"""Benchmarks: `python -m bench [W1 ...] [--json]`. They print ratios to a limit timed in the same run."""
