"""Replay: stored or generated candles as a feed of market events, moment by moment.

A moment has two phases. At each time T, in this order:

    closed   for each symbol by name: `SeriesInterrupted` if candles are missing before it, then
             `CandleClosed`; then `CloseTimePassed(T)`
    opened   for each symbol by name: `FundingSettled` of what settled up to T, `CandleOpened`

The last moment is `EndOfData` alone, phase "closed", at the last close. What is emitted does not
depend on where the feed was taken up: behind a cursor come the very moments that would have come.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from heapq import merge
from typing import Literal, Protocol

import msgspec

from regatta.domain.candle import Candle
from regatta.domain.clock import Clock
from regatta.domain.errors import BadInput
from regatta.domain.events import (
    CandleClosed,
    CandleOpened,
    CloseTimePassed,
    EndOfData,
    FundingSettled,
    MarketEvent,
    SeriesInterrupted,
)
from regatta.domain.instrument import Instrument
from regatta.domain.timeframe import MINUTE_MS, timeframe_ms
from regatta.market.candles import Candles
from regatta.market.settlement import Settlement, charges

Phase = Literal["closed", "opened"]

PHASES = {"triggered": 1, "settled": 2, "closed": 3, "opened": 4, "ending": 5, "ended": 6}
"""How far a moment has come, by the engine's steps. "triggered" and "settled" are parts of the
closed phase: a cursor there asks for the closed phase again. "ending" and "ended" are parts of
the end, which is told behind every cursor."""

BLOCK_CANDLES = 8192
"""Candles, of all symbols together, that are turned into events at once."""

BREATHE_EVERY = 64
"""Moments between two pauses for other tasks when there is no waiting in between."""

CATCH_UP_MS = 1000
"""A replay that is later than this (a suspended machine) goes on from where it is instead of racing."""


class Instant(msgspec.Struct, frozen=True):
    """What happens at one moment of market time, in order."""

    at_ms: int
    phase: Phase
    events: list[MarketEvent]


class Source(Protocol):
    """Where a replay gets its candles: a store, a generated market, or memory."""

    @property
    def kind(self) -> str:
        """What the feed is called in the status: "replay" or "generated"."""
        ...

    @property
    def timeframe(self) -> str:
        """Timeframe of all candles."""
        ...

    @property
    def symbols(self) -> Sequence[str]:
        """Symbols, sorted by name."""
        ...

    @property
    def end_ms(self) -> int | None:
        """Close of the last candle of all; None when there is no end."""
        ...

    def read(self, symbol: str, from_ms: int, to_ms: int) -> Candles:
        """Return the candles that open in [from_ms, to_ms)."""
        ...

    def before(self, symbol: str, before_ms: int, n: int) -> Candles:
        """Return the last n candles that had closed by before_ms."""
        ...

    def settlements(self, symbol: str, from_ms: int, to_ms: int) -> Sequence[Settlement]:
        """Return the funding settlements in [from_ms, to_ms)."""
        ...


class ReplayFeed:
    """A market feed over past (or invented) candles, at a chosen speed."""

    def __init__(
        self,
        source: Source,
        instruments: Mapping[str, Instrument],
        *,
        name: str,
        from_ms: int,
        to_ms: int | None = None,
        speed: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Replay the candles of `source` that open in [from_ms, to_ms).

        speed: market time per clock time; None: as fast as possible. A clock is needed for
        speeds. A source without an end ends at to_ms, or never.
        """
        if not source.symbols:
            raise BadInput(f"feed {name}: there is no symbol to replay")
        self.name = name
        self.source = source
        self.timeframe = source.timeframe
        self._step_ms = timeframe_ms(source.timeframe)
        self._instruments = instruments
        self._from_ms = from_ms
        ends = [end for end in (to_ms, source.end_ms) if end is not None]
        self._to_ms = min(ends) if ends else None
        self._cursor = (from_ms, 0)
        self._pace = _Pace(clock, speed)

    @property
    def kind(self) -> str:
        """What is replayed: "replay" (recorded) or "generated"."""
        return self.source.kind

    @property
    def symbols(self) -> Sequence[str]:
        """Symbols of the feed, sorted by name."""
        return self.source.symbols

    @property
    def speed(self) -> float | None:
        """Market time per clock time; None: as fast as possible."""
        return self._pace.speed

    def set_speed(self, speed: float | None) -> None:
        """Change the speed, at once, also while the feed waits for its next moment."""
        self._pace.set_speed(speed)

    def resume_after(self, at_ms: int, phase: str) -> None:
        """Start behind a cursor: (time, step) that the journal has. Before the first moment only."""
        if phase not in PHASES:
            raise BadInput(f"feed {self.name}: {phase!r} is no step of a moment; allowed: {', '.join(PHASES)}")
        self._cursor = (at_ms, PHASES[phase])

    def history(self, symbol: str, before_ms: int, n: int) -> Candles:
        """Return the last n candles of a symbol that had closed by before_ms, for warming up."""
        return self.source.before(symbol, before_ms, n)

    # --- moments -------------------------------------------------------------------------

    async def instants(self) -> AsyncIterator[Instant]:
        """Yield moment after moment, each when it is due."""
        for count, instant in enumerate(self.moments()):
            if not await self._pace.wait_for(instant.at_ms) and count % BREATHE_EVERY == 0:
                await asyncio.sleep(0)
            yield instant

    def moments(self) -> Iterator[Instant]:
        """Yield moment after moment without waiting: what backtests iterate."""
        step = self._step_ms
        after_ms, done = self._cursor
        last_close = 0
        for open_ms, closed, opened in self._rows(max(self._from_ms, after_ms - step)):
            if open_ms > after_ms or (open_ms == after_ms and done < PHASES["opened"]):
                yield Instant(open_ms, "opened", opened)
            last_close = open_ms + step
            if last_close > after_ms or (last_close == after_ms and done < PHASES["closed"]):
                yield Instant(last_close, "closed", closed)
        if last_close == 0:
            found = (self.source.before(symbol, after_ms, 1) for symbol in self.symbols)
            last_close = max((int(part.close_ms[-1]) for part in found if len(part)), default=0)
        if last_close:
            yield Instant(last_close, "closed", [EndOfData(last_close)])

    def _rows(self, start_ms: int) -> Iterator[tuple[int, list[MarketEvent], list[MarketEvent]]]:
        """Yield (open time, events of its close, events of its open) for each time some candle opens.

        A candle's close never comes after the next one's open: all have the same timeframe.
        """
        step = self._step_ms
        start_ms = -(-start_ms // step) * step
        lines = [_Line(self.source, symbol, self._instruments[symbol], start_ms) for symbol in self.symbols]
        length = max(1, BLOCK_CANDLES // len(lines)) * step
        block_ms = start_ms
        while self._to_ms is None or block_ms < self._to_ms:
            end_ms = block_ms + length if self._to_ms is None else min(block_ms + length, self._to_ms)
            yield from self._block([line.take(block_ms, end_ms) for line in lines])
            block_ms = end_ms

    def _block(self, parts: "list[_Part]") -> Iterator[tuple[int, list[MarketEvent], list[MarketEvent]]]:
        step, timeframe = self._step_ms, self.timeframe
        times = parts[0].times
        plain = all(not part.extra and part.times == times for part in parts)
        if plain:
            # Nothing is missing and nothing is charged: the columns of all symbols line up.
            for open_ms, closed, opened in zip(
                times,
                zip(*(part.closed for part in parts), strict=True),
                zip(*(part.opened for part in parts), strict=True),
                strict=True,
            ):
                yield open_ms, [*closed, CloseTimePassed(timeframe, open_ms + step)], list(opened)
            return
        rows = [0] * len(parts)
        for open_ms in _distinct(merge(*(part.times for part in parts))):
            closed_events: list[MarketEvent] = []
            opened_events: list[MarketEvent] = []
            for i, part in enumerate(parts):
                row = rows[i]
                if row < len(part.times) and part.times[row] == open_ms:
                    rows[i] = row + 1
                    for event in part.extra.get(row, ()):
                        (closed_events if type(event) is SeriesInterrupted else opened_events).append(event)
                    closed_events.append(part.closed[row])
                    opened_events.append(part.opened[row])
            closed_events.append(CloseTimePassed(timeframe, open_ms + step))
            yield open_ms, closed_events, opened_events


class _Part(msgspec.Struct):
    """A block of one symbol. extra: events before row i's candle: interruptions, settlements."""

    times: list[int]
    closed: list[CandleClosed]
    opened: list[CandleOpened]
    extra: dict[int, list[MarketEvent]]


class _Line:
    """One symbol of a replay, read block by block."""

    def __init__(self, source: Source, symbol: str, instrument: Instrument, start_ms: int) -> None:
        self._source = source
        self._symbol = symbol
        self._instrument = instrument
        self._waiting: list[Settlement] = []
        last = source.before(symbol, start_ms, 1)
        if len(last):
            self._expected_ms = int(last.close_ms[-1])
            self._close: float | None = float(last.close[-1])
            # What settled after the last candle's open, while no candle opened, is charged at the next one.
            self._settled_to_ms = int(last.open_ms[-1]) + MINUTE_MS
        else:
            self._expected_ms, self._close, self._settled_to_ms = 0, None, start_ms

    def take(self, from_ms: int, to_ms: int) -> _Part:
        """Return the events of the candles that open in [from_ms, to_ms)."""
        candles = self._source.read(self._symbol, from_ms, to_ms)
        extra: dict[int, list[MarketEvent]] = {}
        self._note_gaps(candles, extra)
        self._note_funding(candles, to_ms, extra)
        symbol, timeframe, step = self._symbol, candles.timeframe, candles.step_ms
        times = candles.open_ms.tolist()
        opens = candles.open.tolist()
        columns = (candles.high.tolist(), candles.low.tolist(), candles.close.tolist(), candles.volume.tolist())
        return _Part(
            times,
            [
                CandleClosed(Candle(symbol, timeframe, t, t + step, o, h, low, c, v))
                for t, o, h, low, c, v in zip(times, opens, *columns, strict=True)
            ],
            [CandleOpened(symbol, t, o) for t, o in zip(times, opens, strict=True)],
            extra,
        )

    def _note_gaps(self, candles: Candles, extra: dict[int, list[MarketEvent]]) -> None:
        if not len(candles):
            return
        step, first = candles.step_ms, int(candles.open_ms[0])
        gaps = [(gap.after_ms, gap.missing) for gap in candles.gaps()]
        if self._expected_ms and first > self._expected_ms:
            gaps.insert(0, (self._expected_ms, (first - self._expected_ms) // step))
        for after_ms, missing in gaps:
            row = int(candles.open_ms.searchsorted(after_ms))
            interrupted = SeriesInterrupted(self._symbol, candles.timeframe, after_ms, missing)
            extra.setdefault(row, []).append(interrupted)
        self._expected_ms = int(candles.open_ms[-1]) + step

    def _note_funding(self, candles: Candles, to_ms: int, extra: dict[int, list[MarketEvent]]) -> None:
        due = [*self._waiting, *self._source.settlements(self._symbol, self._settled_to_ms, to_ms)]
        self._settled_to_ms = to_ms
        if not len(candles):
            self._waiting = due
            return
        charged = charges(due, candles, self._instrument, self._close)
        last_open = int(candles.open_ms[-1])
        self._waiting = [settlement for settlement in due if settlement.minute_ms > last_open]
        self._close = float(candles.close[-1])
        for charge in charged:
            mark = charge.mark_ticks
            settled = FundingSettled(self._symbol, int(candles.open_ms[charge.row]), charge.rate_e8, mark)
            extra.setdefault(charge.row, []).append(settled)


class _Pace:
    """Waits until market time is due on a clock; the speed may change while it waits."""

    def __init__(self, clock: Clock | None, speed: float | None) -> None:
        self._clock = clock
        self.speed: float | None = None
        self._anchor: tuple[float, float] | None = None
        self._changed: asyncio.Event | None = None
        self.set_speed(speed)

    def set_speed(self, speed: float | None) -> None:
        if speed is not None and not 0 < speed < float("inf"):
            raise BadInput(f"speed {speed} is not allowed; a number above 0, or none for as fast as possible")
        if speed is not None and self._clock is None:
            raise BadInput("a feed without a clock has no speed: it runs as fast as it can")
        if self._anchor is not None and self._clock is not None:
            self._anchor = (float(self._clock.now_ms()), self._market_ms(self._clock.now_ms()))
        self.speed = speed
        if self._changed is not None:
            self._changed.set()

    def _market_ms(self, now_ms: int) -> float:
        assert self._anchor is not None
        clock_ms, market_ms = self._anchor
        return market_ms + (now_ms - clock_ms) * (self.speed or 0.0)

    async def wait_for(self, market_ms: int) -> bool:
        """Return when market_ms is due; False when there was nothing to wait for."""
        clock = self._clock
        if clock is None:
            return False
        waited = False
        while self.speed is not None:
            now_ms = clock.now_ms()
            if self._anchor is None:
                self._anchor = (float(now_ms), float(market_ms))
            clock_ms, anchor_ms = self._anchor
            due_ms = clock_ms + (market_ms - anchor_ms) / self.speed
            if due_ms <= now_ms:
                if due_ms < now_ms - CATCH_UP_MS:
                    self._anchor = (float(now_ms), float(market_ms))
                return waited
            waited = True
            await self._sleep(clock, -int(-due_ms // 1))
        self._anchor = None
        return waited

    async def _sleep(self, clock: Clock, until_ms: int) -> None:
        """Sleep until a clock time or until the speed is changed."""
        self._changed = asyncio.Event()
        sleeper = asyncio.ensure_future(clock.sleep_until(until_ms))
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({sleeper, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._changed = None
            for task in (sleeper, changed):
                task.cancel()
            await asyncio.gather(sleeper, changed, return_exceptions=True)


def _distinct(times: Iterator[int]) -> Iterator[int]:
    last = -1
    for time in times:
        if time != last:
            yield time
            last = time
