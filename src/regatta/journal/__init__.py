"""The journal: the append-only truth, its projections, and what can be read and computed from them."""

from regatta.journal.journal import Journal
from regatta.journal.memory import MemoryJournal
from regatta.journal.queries import Reader

__all__ = ["Journal", "MemoryJournal", "Reader"]
