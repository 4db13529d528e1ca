"""The journal: the append-only truth of the platform, and the tables folded from it.

`Journal` writes SQLite; `MemoryJournal` has the same methods for backtests and benchmarks;
`Reader` answers questions on connections of its own. `journal.statistics` are pure functions
over trades and equity. The classes are imported when they are asked for, so that statistics
cost no database driver.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regatta.journal.journal import Journal
    from regatta.journal.memory import MemoryJournal
    from regatta.journal.queries import Reader

__all__ = ["Journal", "MemoryJournal", "Reader"]

_ROOMS = {"Journal": "journal", "MemoryJournal": "memory", "Reader": "queries"}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
