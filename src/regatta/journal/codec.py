"""Records as text and back: JSON tagged by the record's name, and the hash that chains the rows.

1. What `encode` lets through, `decode` gives back equal; everything else is refused before it
   is written, because what is written can't be mended.
2. The hash of a row covers its predecessor's: no row can change, vanish or move without
   breaking every hash after it.
"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from regatta.domain.errors import BadInput, EnvironmentFault
from regatta.domain.events import AnyRecord, BotRegistered, DecisionTaken
from regatta.journal.grids import grids_in

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)

GENESIS = "0" * 32
"""What the first row's hash is chained to."""

KINDS = frozenset(kind.__name__ for kind in AnyRecord.__args__)
"""Names of all records that this version knows."""

INT64 = range(-(2**63), 2**63)


def kind_of(record: AnyRecord) -> str:
    """Return the name under which a record is journaled."""
    return type(record).__name__


def encode(record: AnyRecord) -> str:
    """Return a record as JSON text.

    Raises ValueError for what could not be read back: a decision with NaN or infinity among its
    numbers, a time beyond 64 bits; BadInput for a bot's settings that can't be read.
    """
    if type(record) is DecisionTaken:
        _refuse_unreadable_numbers(record)
    elif type(record) is BotRegistered:
        try:
            grids_in(record.settings)
        except BadInput as fault:
            raise BadInput(f"bot {record.bot}: {fault}") from None
    if record.at_ms not in INT64:
        raise ValueError(f"{kind_of(record)}: at_ms {record.at_ms} is beyond 64 bits")
    return _encoder.encode(record).decode()


def _refuse_unreadable_numbers(record: DecisionTaken) -> None:
    """JSON has no NaN: it would be written as null, and null is no score."""
    signal = record.decision.signal
    numbers: list[float | None] = [signal.score, signal.price]
    for check in signal.checks:
        numbers += (check.value, check.threshold)
    for number in numbers:
        if number is not None and not isfinite(number):
            raise ValueError(f"bot {record.bot}, {signal.symbol}: a decision with the number {number} can't be kept")


def decode(body: str, seq: int, kind: str = "") -> AnyRecord:
    """Return the record of a row; a kind or field of a later version is refused, never skipped."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        later = "" if kind in KINDS else "; it was written by a newer one: update Regatta"
        what = f"journal row {seq}{f' ({kind})' if kind else ''}"
        raise EnvironmentFault(f"{what} can't be read by this version: {fault}{later}") from None


def chained(previous: str, seq: int, body: str) -> str:
    """Return the hash of a row: over its predecessor's, its number and its text."""
    return blake2b(f"{previous}{seq}{body}".encode(), digest_size=16).hexdigest()


class Stored(NamedTuple):
    """A row of `events`, as far as the chain is concerned. kind, at_ms and bot repeat what the body says."""

    seq: int
    at_ms: int
    kind: str
    bot: str
    body: str
    hash: str


def checked(rows: Iterable[Any], path: Path, after: int, previous: str) -> Iterator[tuple[Stored, AnyRecord]]:
    """Yield rows with their records; EnvironmentFault at the first that is not what was written.

    rows: (seq, at_ms, kind, bot, body, hash) in order; after, previous: number and hash of the
    row before the first.
    """
    for values in rows:
        row = Stored(*values)
        if row.seq != after + 1:
            raise EnvironmentFault(f"the journal {path} is damaged: row {after + 1} is missing; restore a backup")
        previous, after = chained(previous, row.seq, row.body), row.seq
        if row.hash != previous:
            raise EnvironmentFault(
                f"the journal {path} is damaged: row {row.seq} was changed after it was written; restore a backup"
            )
        record = decode(row.body, row.seq, row.kind)
        if (kind_of(record), record.at_ms, record.bot) != (row.kind, row.at_ms, row.bot):
            raise EnvironmentFault(
                f"the journal {path} is damaged: the columns of row {row.seq} say something else than its text; "
                "restore a backup"
            )
        yield row, record
