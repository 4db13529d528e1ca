"""The candles of all symbols on one time axis: what the graph and the trade pass run over.

1. A row is a moment at which at least one symbol has a candle; rows rise, symbols are sorted by
   name.
2. An unbroken run of a symbol's candles lies in neighbouring rows: a moment between two of them
   could not be a candle's open. So the graph runs over stretches of rows, without a copy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np

from regatta.domain.errors import BadInput
from regatta.domain.instrument import Instrument
from regatta.research.kernel import ABSENT, FUNDING

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]

COLUMNS = ("open", "high", "low", "close", "volume")


class Candles(Protocol):
    """Closed candles of one symbol as columns of shape (n,), oldest first; gaps are possible."""

    @property
    def open_ms(self) -> Ints: ...
    @property
    def open(self) -> Floats: ...
    @property
    def high(self) -> Floats: ...
    @property
    def low(self) -> Floats: ...
    @property
    def close(self) -> Floats: ...
    @property
    def volume(self) -> Floats: ...
    def __len__(self) -> int: ...


class Charge(Protocol):
    """A funding settlement that is charged as candle `row` of its symbol opens; rate in 10**-8."""

    @property
    def row(self) -> int: ...
    @property
    def rate_e8(self) -> int: ...
    @property
    def mark_ticks(self) -> int: ...


@dataclass(frozen=True, slots=True)
class SymbolData:
    """What a backtest needs of one symbol: its candles, what it trades like, and its funding."""

    instrument: Instrument
    candles: Candles
    charges: Sequence[Charge] = ()


class MissingCandles(NamedTuple):
    """A gap in the data: `missing` candles of the symbol after `after_ms` (open of the first)."""

    symbol: str
    after_ms: int
    missing: int

    def __str__(self) -> str:
        many = "1 candle is" if self.missing == 1 else f"{self.missing} candles are"
        return f"{self.symbol}: {many} missing from {utc_text(self.after_ms)} on; its indicators warm up again after it"


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """All candles of a backtest, laid out for graph and kernel.

    blocks: float64 (symbols, 6, n): rows close_ms, open, high, low, close, volume of each symbol,
    NaN where it has no candle. signals: uint8 (symbols, n): ABSENT and FUNDING set, the rest 0.
    settlements: int64 (symbols, k, 3): row, rate_e8, mark ticks; row n as filler.
    runs: for each symbol the unbroken stretches of rows (first, end), oldest first.
    decide_from: first row that rounds are decided in; what lies before only warms up.
    """

    symbols: tuple[str, ...]
    timeframe_ms: int
    open_ms: Ints
    blocks: Floats
    signals: Bytes
    settlements: Ints
    runs: tuple[tuple[tuple[int, int], ...], ...]
    decide_from: int
    gaps: tuple[MissingCandles, ...]

    def __len__(self) -> int:
        return len(self.open_ms)

    @property
    def candles(self) -> int:
        """How many candles there are to decide on, all symbols together."""
        return int((self.signals[:, self.decide_from :] & ABSENT == 0).sum())


def lay_out(data: Mapping[str, SymbolData], timeframe_ms: int, from_ms: int | None = None) -> Timeline:
    """Lay the candles of all symbols out on one time axis.

    from_ms: decisions are taken on candles that open here or later; None: from the first one on.
    Raises BadInput for candles that can't be: not finite, off the grid of the timeframe, out of
    order; and when no candle is left to decide on.
    """
    symbols = tuple(sorted(data))
    for symbol in symbols:
        if not len(data[symbol].candles):
            raise BadInput(f"there are no candles of {symbol}")
        refuse_impossible(symbol, data[symbol].candles, timeframe_ms)
    open_ms = union([data[symbol].candles.open_ms for symbol in symbols])
    decide_from = 0 if from_ms is None else int(np.searchsorted(open_ms, from_ms))
    if decide_from >= len(open_ms):
        since = "" if from_ms is None else f" from {utc_text(from_ms)} on"
        raise BadInput(f"there are no candles of {', '.join(symbols)}{since}")
    n = len(open_ms)
    blocks = np.empty((len(symbols), 6, n))
    signals = np.zeros((len(symbols), n), np.uint8)
    runs: list[tuple[tuple[int, int], ...]] = []
    gaps: list[MissingCandles] = []
    for s, symbol in enumerate(symbols):
        candles = data[symbol].candles
        rows = place(candles, open_ms, blocks[s], signals[s], timeframe_ms)
        stretches = unbroken(candles.open_ms, timeframe_ms)
        runs.append(tuple((int(rows[a]), int(rows[b - 1]) + 1) for a, b in stretches))
        for (_, end), (start, _) in pairwise(stretches):
            after_ms = int(candles.open_ms[end - 1]) + timeframe_ms
            gaps.append(MissingCandles(symbol, after_ms, (int(candles.open_ms[start]) - after_ms) // timeframe_ms))
    return Timeline(
        symbols=symbols,
        timeframe_ms=timeframe_ms,
        open_ms=open_ms,
        blocks=blocks,
        signals=signals,
        settlements=settlements([data[symbol] for symbol in symbols], open_ms, signals),
        runs=tuple(runs),
        decide_from=decide_from,
        gaps=tuple(sorted(gaps, key=lambda gap: (gap.after_ms, gap.symbol))),
    )


def union(times: Sequence[Ints]) -> Ints:
    """Return every moment that occurs, rising. No copy when all symbols share one axis."""
    first = times[0]
    if all(len(t) == len(first) and bool((t == first).all()) for t in times[1:]):
        return np.ascontiguousarray(first, dtype=np.int64)
    return np.unique(np.concatenate(times))


def place(candles: Candles, open_ms: Ints, block: Floats, signals: Bytes, timeframe_ms: int) -> Ints:
    """Write a symbol's candles into its block and mark its absent rows; return the candles' rows."""
    np.add(open_ms, timeframe_ms, out=block[0], casting="unsafe")
    if len(candles) == len(open_ms):
        for row, name in enumerate(COLUMNS, start=1):
            block[row] = getattr(candles, name)
        return np.arange(len(open_ms))
    rows: Ints = np.searchsorted(open_ms, candles.open_ms)
    signals[:] = ABSENT
    signals[rows] = 0
    for row, name in enumerate(COLUMNS, start=1):
        block[row] = np.nan
        block[row, rows] = getattr(candles, name)
    return rows


def settlements(data: Sequence[SymbolData], open_ms: Ints, signals: Bytes) -> Ints:
    """Return the settlements of all symbols by row, and set FUNDING where one is charged."""
    longest = max(len(one.charges) for one in data)
    found = np.zeros((len(data), longest, 3), np.int64)
    found[:, :, 0] = len(open_ms)
    for s, one in enumerate(data):
        if one.charges:
            charged = np.array([(c.row, c.rate_e8, c.mark_ticks) for c in one.charges], np.int64)
            charged[:, 0] = np.searchsorted(open_ms, one.candles.open_ms[charged[:, 0]])
            found[s, : len(charged)] = charged
            signals[s, charged[:, 0]] |= FUNDING
    return found


def unbroken(open_ms: Ints, timeframe_ms: int) -> list[tuple[int, int]]:
    """Return the stretches without a missing candle as (first, end) positions."""
    edges = [0, *(np.flatnonzero(np.diff(open_ms) != timeframe_ms) + 1).tolist(), len(open_ms)]
    return [(a, b) for a, b in pairwise(edges) if a < b]


def refuse_impossible(symbol: str, candles: Candles, timeframe_ms: int) -> None:
    """Raise BadInput at the first candle that no market makes, naming symbol, time and field."""
    open_ms = candles.open_ms
    late = np.flatnonzero(np.diff(open_ms) <= 0)
    if late.size:
        at = utc_text(int(open_ms[late[0] + 1]))
        raise BadInput(f"{symbol}: the candle of {at} does not come after the one before it")
    off = np.flatnonzero(open_ms % timeframe_ms)
    if off.size:
        at = utc_text(int(open_ms[off[0]]))
        raise BadInput(f"{symbol}: the candle of {at} is not on the grid of {timeframe_ms // 60_000} minutes")
    for name in COLUMNS:
        column: Floats = getattr(candles, name)
        least = 0.0 if name == "volume" else np.finfo(float).tiny
        if len(column) and not (column.min() >= least and column.max() < np.inf):
            row = int(np.flatnonzero(~((column >= least) & (column < np.inf)))[0])
            wanted = "0 or more" if name == "volume" else "above 0"
            at = utc_text(int(open_ms[row]))
            raise BadInput(f"{symbol}: {name} of the candle of {at} is {column[row]}; allowed: {wanted}")


def utc_text(at_ms: int) -> str:
    """Return "2025-05-04 15:33 UTC"."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def utc_iso(at_ms: int) -> str:
    """Return "2025-05-04T15:33:00.000Z"."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
