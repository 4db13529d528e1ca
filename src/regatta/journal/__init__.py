"""The journal: the append-only truth of the platform, and the tables folded from it.

`durable.Journal` writes SQLite; `memory.MemoryJournal` has the same methods for backtests and
benchmarks. `queries.Reader` answers questions on connections of its own; `statistics` are pure
functions over trades and equity. `rebuild` and `verify` work on a journal that nobody writes.
Nothing is imported here, so that statistics cost no database driver.
"""
