"""Records as text and back: JSON tagged by the record's name, and the hash that chains the rows."""

from hashlib import blake2b

import msgspec

from regatta.domain.errors import EnvironmentFault
from regatta.domain.events import AnyRecord

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AnyRecord)

GENESIS = "0" * 32
"""What the first row's hash is chained to."""


def kind_of(record: AnyRecord) -> str:
    """Return the name under which a record is journaled."""
    return type(record).__name__


def encode(record: AnyRecord) -> str:
    """Return a record as JSON text."""
    return _encoder.encode(record).decode()


def decode(body: str, seq: int) -> AnyRecord:
    """Return the record of a row; a kind or field of a later version is refused, never skipped."""
    try:
        record: AnyRecord = _decoder.decode(body)
        return record
    except msgspec.ValidationError as fault:
        raise EnvironmentFault(
            f"journal row {seq} can't be read by this version: {fault}; it was written by a newer one"
        ) from None


def chained(previous: str, seq: int, body: str) -> str:
    """Return the hash of a row: over its predecessor's, its number and its text."""
    return blake2b(f"{previous}{seq}{body}".encode(), digest_size=16).hexdigest()
