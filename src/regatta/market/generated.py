"""Generated markets: prices that look like a market's, at every moment of time, from a seed.

1. Every minute of every symbol is a function of (seed, symbol, minute) and nothing else: there
   is no state to carry, so any stretch of time, past or future, is made on the spot.
2. Higher timeframes are the aggregates of the minutes.
3. Prices are whole ticks and volumes whole lots of the instrument.
4. A day's first price is given by slow curves (so that prices never run away); the minutes in
   between are a bridge from one day to the next: a walk whose end is pulled to where it must be.

The walk of a minute is volatility x (bell-shaped step + trend + jump). Volatility comes in
clusters (three smooth curves, a daily rhythm, and what follows a jump); the trend is a smooth
curve that changes every half hour and every few hours, near zero in ranges. A symbol is
`beta` times the common market plus a walk of its own.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from regatta.domain.errors import BadInput
from regatta.domain.instrument import Instrument
from regatta.domain.timeframe import HOUR_MS, MINUTE_MS, timeframe_ms
from regatta.market import dice
from regatta.market.candles import Candles, Floats, Ints
from regatta.market.settlement import Settlement
from regatta.market.times import utc_text

DAY = 1440
"""Minutes of a block: what is generated at once and kept."""

COMMON_VOLATILITY = 0.0005
OWN_VOLATILITY = 0.00035
"""Typical deviation of a minute's return, of the common market and of a symbol alone."""

SLOW_CURVES = ((1, 0.018), (4, 0.03), (16, 0.06), (64, 0.10), (256, 0.16))
"""Period in days and amplitude of the curves that the days' first prices follow."""

BURST_MINUTES = 90
BURST = np.array([2.5 * 0.95**i for i in range(BURST_MINUTES)])
"""What a jump adds to the volatility of the minutes that follow it, as a factor."""

FUNDING_EVERY_MS = 8 * HOUR_MS


class _Walk(NamedTuple):
    """A day of a walk: log price at its start and at the end of each minute, and its deviation.

    level, deviation: shape (DAY,).
    """

    start: float
    level: Floats
    deviation: Floats


class _Day(NamedTuple):
    """A day of a symbol: ticks and lots of each minute, int64, shape (DAY,)."""

    open: Ints
    high: Ints
    low: Ints
    close: Ints
    lots: Ints


class GeneratedMarket:
    """A market of several instruments that exists at all times, seen from `start_ms` on.

    Candle i of a symbol opens at start_ms + i x timeframe; i may be negative.
    """

    kind = "generated"
    kept_days = 3
    """Days of each symbol that are kept, so that reading on costs nothing."""

    def __init__(self, seed: int, instruments: Mapping[str, Instrument], start_ms: int, timeframe: str = "1m") -> None:
        """start_ms must be the open of a candle (BadInput otherwise)."""
        self._step_ms = timeframe_ms(timeframe)
        if start_ms % self._step_ms:
            raise BadInput(f"a generated market cannot start at {utc_text(start_ms)}: no {timeframe} candle opens then")
        self.seed = seed
        self.start_ms = start_ms
        self.timeframe = timeframe
        self._symbols = {symbol: _Symbol(seed, instruments[symbol]) for symbol in sorted(instruments)}
        self._common = _Process(seed, "", COMMON_VOLATILITY)
        self._walks: dict[int, _Walk] = {}
        self._days: dict[tuple[str, int], _Day] = {}

    @property
    def symbols(self) -> Sequence[str]:
        """What is traded, sorted by name."""
        return tuple(self._symbols)

    @property
    def end_ms(self) -> int | None:
        """None: it never ends."""
        return None

    def candles(self, symbol: str, i0: int, i1: int) -> Candles:
        """Return candles i0 <= i < i1."""
        return self.read(symbol, self.start_ms + i0 * self._step_ms, self.start_ms + i1 * self._step_ms)

    def history(self, symbol: str, n: int) -> Candles:
        """Return the n candles before the start."""
        return self.candles(symbol, -n, 0)

    def read(self, symbol: str, from_ms: int, to_ms: int) -> Candles:
        """Return the candles that open in [from_ms, to_ms)."""
        step = self._step_ms
        first, stop = -(-from_ms // step) * step, -(-to_ms // step) * step
        if stop <= first:
            return Candles.empty(symbol, self.timeframe)
        minutes = self._minutes(symbol, first // MINUTE_MS, stop // MINUTE_MS)
        each = step // MINUTE_MS
        shape = (len(minutes.open) // each, each)
        instrument = self._symbols[symbol].instrument
        (tick_num, tick_den), (lot_num, lot_den) = instrument.tick, instrument.lot
        ticks = (
            minutes.open.reshape(shape)[:, 0],
            minutes.high.reshape(shape).max(axis=1),
            minutes.low.reshape(shape).min(axis=1),
            minutes.close.reshape(shape)[:, -1],
        )
        open_, high, low, close = ((column * tick_num).astype(np.float64) / float(tick_den) for column in ticks)
        lots = minutes.lots.reshape(shape).sum(axis=1)
        volume = (lots * lot_num).astype(np.float64) / float(lot_den)
        open_ms = np.arange(first, stop, step, dtype=np.int64)
        return Candles(symbol, self.timeframe, open_ms, open_, high, low, close, volume)

    def before(self, symbol: str, before_ms: int, n: int) -> Candles:
        """Return the last n candles that had closed by before_ms."""
        end = before_ms - before_ms % self._step_ms
        return self.read(symbol, end - n * self._step_ms, end)

    def settlements(self, symbol: str, from_ms: int, to_ms: int) -> list[Settlement]:
        """Return the funding settlements of a swap in [from_ms, to_ms): every 8 hours; none for spot."""
        if self._symbols[symbol].instrument.kind != "swap":
            return []
        first = -(-from_ms // FUNDING_EVERY_MS)
        stop = -(-to_ms // FUNDING_EVERY_MS)
        if stop <= first:
            return []
        mood = dice.smooth(self._symbols[symbol].funding_stream, np.arange(first, stop, dtype=np.int64), 6)
        rates = np.rint(10_000 + 9_000 * mood).astype(np.int64)
        return [Settlement((first + i) * FUNDING_EVERY_MS, rate, None) for i, rate in enumerate(rates.tolist())]

    # --- days ----------------------------------------------------------------------------

    def _minutes(self, symbol: str, start: int, stop: int) -> _Day:
        """Return minutes [start, stop) since 1970."""
        first, last = start // DAY, (stop - 1) // DAY
        days = [self._day(symbol, number) for number in range(first, last + 1)]
        cut = slice(start - first * DAY, stop - first * DAY)
        if len(days) == 1:
            return _Day(*(column[cut] for column in days[0]))
        return _Day(*(np.concatenate(columns)[cut] for columns in zip(*days, strict=True)))

    def _day(self, symbol: str, number: int) -> _Day:
        kept = self._days.get((symbol, number))
        if kept is None:
            kept = self._days[symbol, number] = self._symbols[symbol].day(number, self._walk(number))
            if len(self._days) > self.kept_days * len(self._symbols):
                self._days.pop(next(iter(self._days)))
        return kept

    def _walk(self, number: int) -> _Walk:
        kept = self._walks.get(number)
        if kept is None:
            kept = self._walks[number] = self._common.day(number)
            if len(self._walks) > 2 * self.kept_days:
                self._walks.pop(next(iter(self._walks)))
        return kept


class _Process:
    """A walk with clusters of volatility, trends and jumps, pinned at the start of each day."""

    def __init__(self, seed: int, name: str, volatility: float) -> None:
        self.volatility = volatility
        self._slow = np.array([[dice.key(seed, f"{name}/slow {period}")] for period, _ in SLOW_CURVES], np.uint64)
        self._step, self._tail, self._jump, self._size = (
            dice.key(seed, f"{name}/{what}") for what in ("step", "tail", "jump", "size")
        )
        self._calm = [dice.key(seed, f"{name}/volatility {i}") for i in range(3)]
        self._trend = [dice.key(seed, f"{name}/trend {i}") for i in range(2)]

    def level(self, number: int) -> float:
        """Return the log price at the first moment of a day; the slow curves are straight between knots."""
        knots = np.array([[number // period, number // period + 1] for period, _ in SLOW_CURVES], np.int64)
        ends = dice.bell(dice.bits(self._slow, knots)).tolist()
        total = 0.0
        for (left, right), (period, amplitude) in zip(ends, SLOW_CURVES, strict=True):
            total += amplitude * (left + (right - left) * (number % period / period))
        return total

    def day(self, number: int) -> _Walk:
        """Return a day of the walk."""
        minute = np.arange(number * DAY, (number + 1) * DAY, dtype=np.int64)
        before = np.arange(number * DAY - BURST_MINUTES, (number + 1) * DAY, dtype=np.int64)
        jump_bits = dice.bits(self._jump, before)
        jumped = np.flatnonzero(dice.uniform(jump_bits) < 1 / 700)
        burst = np.ones(len(before) + BURST_MINUTES)
        jump = np.zeros(len(before))
        sizes = dice.bell(dice.bits(self._size, before[jumped])) * 1.2
        for at, size in zip(jumped.tolist(), sizes.tolist(), strict=True):
            burst[at : at + BURST_MINUTES] += BURST
            jump[at] = size + (1.5 if size > 0 else -1.5)
        burst, jump = burst[BURST_MINUTES : BURST_MINUTES + DAY], jump[BURST_MINUTES:]
        calm = (
            0.30 * dice.smooth(self._calm[0], minute, 13)
            + 0.40 * dice.smooth(self._calm[1], minute, 120)
            + 0.40 * dice.smooth(self._calm[2], minute, 1100)
        )
        deviation = self.volatility * dice.exp(calm - 0.1) * burst * _rhythm(minute)
        wild = np.where(dice.uniform(dice.bits(self._tail, minute)) < 0.06, 2.3, 0.9)
        trend = 0.07 * dice.smooth(self._trend[0], minute, 35) + 0.05 * dice.smooth(self._trend[1], minute, 190)
        steps = deviation * (dice.bell(dice.bits(self._step, minute)) * wild + trend + jump)
        walked = np.cumsum(steps)
        share = np.cumsum(deviation * deviation)
        start, end = self.level(number), self.level(number + 1)
        level = start + walked + (end - start - walked[-1]) * (share / share[-1])
        level[-1] = end  # to the bit: the next day starts there
        return _Walk(start, level, deviation)


class _Symbol:
    """One instrument of a generated market."""

    def __init__(self, seed: int, instrument: Instrument) -> None:
        name = instrument.base
        self.instrument = instrument
        self.price, self.volume = _scale(instrument)
        character = dice.uniform(dice.bits(dice.key(seed, f"{name}/character"), np.arange(2, dtype=np.int64))).tolist()
        self.beta = 0.8 + 0.6 * character[0]
        self.own = _Process(seed, name, OWN_VOLATILITY * (0.6 + 0.9 * character[1]))
        self.funding_stream = dice.key(seed, f"{name}/funding")
        self._open, self._high, self._low, self._lots = (
            dice.key(seed, f"{name}/{what}") for what in ("open", "high", "low", "lots")
        )

    def day(self, number: int, common: _Walk) -> _Day:
        """Return a day of minutes; common: the same day of the common market."""
        own = self.own.day(number)
        minute = np.arange(number * DAY, (number + 1) * DAY, dtype=np.int64)
        level = np.concatenate([[self.beta * common.start + own.start], self.beta * common.level + own.level])
        num, den = self.instrument.tick
        ticks = np.maximum(1, np.rint(self.price * den / num * dice.exp(level)).astype(np.int64))
        before, close = ticks[:-1], ticks[1:]
        lean = dice.uniform(dice.bits(self._open, minute))
        open_ = np.maximum(1, before + (lean < 0.05).astype(np.int64) - (lean > 0.95).astype(np.int64))
        deviation = np.sqrt((self.beta * common.deviation) ** 2 + own.deviation**2)
        wick = 0.55 * deviation * before
        high = np.maximum(open_, close) + _reach(self._high, minute, wick)
        low = np.maximum(1, np.minimum(open_, close) - _reach(self._low, minute, wick))
        busy = (high - low) / (before * (1.6 * COMMON_VOLATILITY + OWN_VOLATILITY))
        mood = dice.exp(0.5 * dice.bell(dice.bits(self._lots, minute)) - 0.125)
        lot_num, lot_den = self.instrument.lot
        typical = self.volume / DAY / self.price * lot_den / lot_num
        lots = np.maximum(1, np.rint(typical * (0.15 + 0.85 * busy) * mood)).astype(np.int64)
        return _Day(open_, high, low, close, lots)


def _reach(stream: int, minute: Ints, scale: Floats) -> Ints:
    """Return how far a wick reaches, in whole ticks: the smaller of two tries, so that most are short."""
    first = np.abs(dice.bell(dice.bits(stream, 2 * minute)))
    second = np.abs(dice.bell(dice.bits(stream, 2 * minute + 1)))
    reach: Ints = np.rint(np.minimum(first, second) * 1.3 * scale).astype(np.int64)
    return reach


def _rhythm(minute: Ints) -> Floats:
    """Return the daily rhythm of volatility: lowest about 04:00 UTC, highest about 15:00."""
    hour = (minute % DAY) / 60.0
    distance = np.abs(hour - 15.0)
    distance = np.minimum(distance, 24.0 - distance) / 12.0
    rhythm: Floats = 1.25 - 0.5 * distance * distance * (3.0 - 2.0 * distance)
    return rhythm


@cache
def _scales() -> Mapping[str, tuple[float, float]]:
    table = json.loads(files("regatta.market").joinpath("tables/scale.json").read_text(encoding="utf-8"))
    return {base: (float(price), float(volume) * 1e6) for base, price, volume in table["rows"]}


def _scale(instrument: Instrument) -> tuple[float, float]:
    """Return a plausible price and volume of a day in quote; for unknown bases 20,000 ticks and 20 million."""
    return _scales().get(instrument.base, (20_000.0 * float(instrument.tick_size), 20e6))


def random_walk(n: int, seed: int = 7) -> Candles:
    """Return the candles of the reference workloads: a plain geometric random walk of minutes.

    open[i] = close[i - 1], start 30,000, deviation 0.0008 a minute, prices to 0.01. Source:
    workloads W1 to W3 of the performance goals; NumPy's PCG64 fixes the draws.
    """
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal(n) * 0.0008
    close = np.round(30_000.0 * np.exp(np.cumsum(steps)), 2)
    open_ = np.concatenate([[30_000.0], close[:-1]])
    high = np.round(np.maximum(open_, close) * (1.0 + np.abs(rng.standard_normal(n)) * 0.0004), 2)
    low = np.round(np.minimum(open_, close) * (1.0 - np.abs(rng.standard_normal(n)) * 0.0004), 2)
    volume = np.round(rng.uniform(1.0, 100.0, n), 3)
    open_ms = RANDOM_WALK_START_MS + MINUTE_MS * np.arange(n, dtype=np.int64)
    return Candles("BTC/USDT", "1m", open_ms, open_, high, low, close, volume)


RANDOM_WALK_START_MS = 1_704_067_200_000
"""2024-01-01, for the times of `random_walk`."""
