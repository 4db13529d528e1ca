"""The tip: a small file beside the journal that says how far it had been confirmed.

A hash chain can't tell that its own end is missing: a journal cut after a commit, or an old
copy put back in its place, is a valid journal. The tip can. It is written after each commit,
without waiting for the disk: after a power failure it may lag behind the journal, never be
ahead of it.
"""

import os
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple


class Tip(NamedTuple):
    """Number and hash of the last confirmed row."""

    seq: int
    hash: str


class TipFile:
    """The file, open for writing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def read(self) -> Tip | None:
        """Return the tip; None for a new file, or one that a power failure left half written."""
        parts = os.pread(self._file, 256, 0).decode(errors="replace").split()
        if len(parts) != 3 or parts[2] != _check(parts[0], parts[1]):
            return None
        return Tip(int(parts[0]), parts[1])

    def write(self, tip: Tip) -> None:
        """Replace the tip."""
        seq = f"{tip.seq:020d}"
        os.pwrite(self._file, f"{seq} {tip.hash} {_check(seq, tip.hash)}\n".encode(), 0)

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _check(seq: str, digest: str) -> str:
    return blake2b(f"{seq}{digest}".encode(), digest_size=8).hexdigest()
