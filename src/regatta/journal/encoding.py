"""Records as text, and the hash chain that holds them together.

1. A body is the JSON of one tagged record; decoding it gives an equal record, or is refused.
2. The hash of a record covers the hash before it: no record can change, vanish, or move
   without breaking every hash after it.
"""

from collections.abc import Iterable
from hashlib import blake2b
from math import isfinite

import msgspec

from regatta.domain.errors import BadInput, EnvironmentFault
from regatta.domain.events import AnyRecord, BotRegistered, DecisionTaken
from regatta.journal.grids import grids

GENESIS = bytes(16)
"""What stands before the first record's hash."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AnyRecord)


class JournalDamaged(EnvironmentFault):
    """The journal is not what was written: nothing may trade on it before it is mended."""


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """A record as the table of events holds it, before it has its number."""

    at_ms: int
    kind: str
    bot: str
    body: str


def encode(record: AnyRecord) -> Encoded:
    """Return the record as text.

    Raises ValueError for what could not be read back: NaN or infinity among the numbers of a
    decision, times or amounts beyond 64 bits; BadInput for a bot's settings that are no JSON.
    """
    if type(record) is DecisionTaken:
        _refuse_unreadable(record)
    elif type(record) is BotRegistered:
        try:
            grids(record.settings)
        except BadInput as fault:
            raise BadInput(f"bot {record.bot}: {fault}") from fault
    if not -(2**63) <= record.at_ms < 2**63:
        raise ValueError(f"at_ms {record.at_ms} does not fit into 64 bits")
    return Encoded(record.at_ms, type(record).__name__, record.bot, _encoder.encode(record).decode())


def _refuse_unreadable(record: DecisionTaken) -> None:
    signal = record.decision.signal
    numbers: list[float | None] = [signal.score, signal.price]
    for check in signal.checks:
        numbers += (check.value, check.threshold)
    for number in numbers:
        if number is not None and not isfinite(number):
            raise ValueError(f"bot {record.bot}, {signal.symbol}: a decision carries the number {number}")


def decode(seq: int, kind: str, body: str) -> AnyRecord:
    """Return the record of a body; seq and kind serve the message when it can't be read."""
    try:
        record = _decoder.decode(body)
    except msgspec.ValidationError as fault:
        if kind not in KINDS:
            raise EnvironmentFault(
                f"the journal holds a record of kind {kind!r} (number {seq}), which this version does not know: "
                "it was written by a later version of Regatta; update Regatta"
            ) from fault
        raise JournalDamaged(f"journal record {seq} ({kind}) can't be read: {fault}") from fault
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise JournalDamaged(f"journal record {seq} ({kind}) can't be read: {fault}") from fault
    return record


KINDS: frozenset[str] = frozenset(t.__name__ for t in AnyRecord.__args__)
"""Names of all kinds of records that this version knows."""


def link(previous: bytes, seq: int, at_ms: int, kind: str, bot: str, body: str) -> bytes:
    """Return the hash of a record: BLAKE2b of 16 bytes over the hash before it and all it holds."""
    return blake2b(b"%b|%d|%d|%b|%b|%b" % (previous, seq, at_ms, kind.encode(), bot.encode(), body.encode()), digest_size=16).digest()


class Stored(msgspec.Struct, frozen=True, gc=False):
    """One row of the table of events."""

    seq: int
    at_ms: int
    kind: str
    bot: str
    body: str
    hash: bytes


def checked(rows: Iterable[Stored], seq: int, previous: bytes) -> Iterable[Stored]:
    """Yield the rows as they are; raise JournalDamaged at the first that breaks the chain.

    seq, previous: number and hash of the record before the first row.
    """
    for row in rows:
        seq += 1
        if row.seq != seq:
            raise JournalDamaged(f"journal record {seq} is missing: {row.seq} follows {seq - 1}")
        previous = link(previous, seq, row.at_ms, row.kind, row.bot, row.body)
        if row.hash != previous:
            raise JournalDamaged(f"journal record {seq} ({row.kind}) was changed after it was written: its hash differs")
        yield row
