"""A scripted market: seeded prices and signals, to test the trading half without a strategy."""

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

import msgspec
import numpy as np

from regatta.bot.book import Book
from regatta.bot.bot import Bot
from regatta.domain.candle import Candle
from regatta.domain.events import (
    AnyRecord,
    BotRegistered,
    CandleClosed,
    CandleOpened,
    CloseTimePassed,
    EndOfData,
    FundingSettled,
    MarketEvent,
)
from regatta.domain.instrument import Instrument
from regatta.domain.signal import Check
from regatta.research import kernel as k
from regatta.risk.rules import RiskRules

MINUTE = 60_000
START = 1_700_000_000_000 // MINUTE * MINUTE
INITIAL = 10_000 * 10**8


class Moment(msgspec.Struct):
    at_ms: int
    phase: str
    events: list[MarketEvent]


class ScriptedFeed:
    name = "scripted"
    timeframe = "1m"

    def __init__(self, moments: Sequence[Moment]) -> None:
        self._moments = moments

    async def instants(self) -> AsyncIterator[Moment]:
        for moment in self._moments:
            yield moment


class ScriptedSeries:
    """Says what it is told to say, candle by candle."""

    def __init__(self, bits: dict[int, int], scores: dict[int, float]) -> None:
        self.last_ms: int | None = None
        self._bits = bits
        self._scores = scores

    def step(self, close_ms: int, open_: float, high: float, low: float, close: float, volume: float) -> int:
        self.last_ms = close_ms
        return self._bits[close_ms]

    def reset(self) -> None: ...

    def first_failing(self, output: int) -> str:
        return "scripted"

    def checks(self, output: int) -> Sequence[Check]:
        return ()

    def column(self, name: str) -> float:
        assert self.last_ms is not None
        return self._scores[self.last_ms]


class ListJournal:
    def __init__(self) -> None:
        self.records: list[AnyRecord] = []

    async def append(self, records: Sequence[AnyRecord]) -> Sequence[int]:
        self.records.extend(records)
        return range(len(self.records) - len(records) + 1, len(self.records) + 1)


INSTRUMENTS = {
    "AAA/USDT:USDT": ("0.1", "0.001", "1", "5"),
    "BBB/USDT:USDT": ("0.0001", "1", "1", "5"),
    "CCC/USDT:USDT": ("0.05", "1", "0.01", "5"),
    "DDD/USDT:USDT": ("0.0000001", "100", "1", "1"),
}


def instruments() -> dict[str, Instrument]:
    return {
        symbol: Instrument(
            venue="test",
            symbol=symbol,
            base=symbol[:3],
            quote="USDT",
            kind="swap",
            tick_size=Decimal(tick),
            lot_step=Decimal(lot),
            contract_size=Decimal(contract),
            min_quantity=Decimal(lot),
            min_notional=Decimal(notional),
            max_leverage=20,
            maker_fee=Decimal("0.0002"),
            taker_fee=Decimal("0.0005"),
        )
        for symbol, (tick, lot, contract, notional) in INSTRUMENTS.items()
    }


class Market:
    """Random walks on the grid, random signals, some candles missing, some funding."""

    def __init__(self, seed: int, n: int, *, missing: float, short: bool, busy: float) -> None:
        rng = np.random.default_rng(seed)
        self.table = instruments()
        self.symbols = sorted(self.table)
        count = len(self.symbols)
        self.n = n
        self.open_ms = START + MINUTE * np.arange(n, dtype=np.int64)
        self.o, self.h, self.low, self.c = (np.full((count, n), np.nan) for _ in range(4))
        self.signals = np.zeros((count, n), np.uint8)
        self.scores = np.round(rng.uniform(50, 100, (count, n)) / 10) * 10
        self.settlements: list[list[tuple[int, int, int]]] = [[] for _ in self.symbols]
        for s, symbol in enumerate(self.symbols):
            tick = self.table[symbol]
            price = float(rng.integers(20_000, 60_000))
            for i in range(n):
                open_ = max(1000.0, price + (rng.integers(-400, 400) if rng.random() < 0.1 else 0))
                close = max(1000.0, open_ + np.round(rng.normal(0, open_ * 0.004)))
                high = max(open_, close) + rng.integers(0, 80)
                low = max(1.0, min(open_, close) - rng.integers(0, 80))
                price = close
                if i and i < n - 1 and rng.random() < missing:
                    self.signals[s, i] = k.ABSENT
                    continue
                for array, ticks in ((self.o, open_), (self.h, high), (self.low, low), (self.c, close)):
                    array[s, i] = tick.price(int(ticks))
                if rng.random() < busy:
                    self.signals[s, i] = rng.integers(0, 16 if short else 4)
            for i in range(30, n, 97):
                if not self.signals[s, i] & k.ABSENT:
                    mark = tick.ticks(self.o[s, i]) + int(rng.integers(-5, 5))
                    self.settlements[s].append((i, int(rng.integers(-80_000, 80_000)), mark))
                    self.signals[s, i] |= k.FUNDING

    def candle(self, s: int, i: int) -> Candle:
        """Return candle i of symbol s."""
        open_ms = int(self.open_ms[i])
        o, h, low, c = (float(array[s, i]) for array in (self.o, self.h, self.low, self.c))
        return Candle(self.symbols[s], "1m", open_ms, open_ms + MINUTE, o, h, low, c, 1e9)

    def moments(self) -> list[Moment]:
        moments: list[Moment] = []
        for i in range(self.n):
            open_ms = int(self.open_ms[i])
            opened: list[MarketEvent] = []
            for s, symbol in enumerate(self.symbols):
                opened.extend(
                    FundingSettled(symbol, open_ms, rate, mark) for row, rate, mark in self.settlements[s] if row == i
                )
            for s, symbol in enumerate(self.symbols):
                if not self.signals[s, i] & k.ABSENT:
                    opened.append(CandleOpened(symbol, open_ms, float(self.o[s, i])))
            moments.append(Moment(open_ms, "opened", opened))
            close_ms = open_ms + MINUTE
            closed: list[MarketEvent] = [
                CandleClosed(self.candle(s, i)) for s in range(len(self.symbols)) if not self.signals[s, i] & k.ABSENT
            ]
            closed.append(CloseTimePassed("1m", close_ms))
            moments.append(Moment(close_ms, "closed", closed))
        moments.append(Moment(close_ms, "closed", [EndOfData(close_ms)]))
        return moments

    def registration(self) -> BotRegistered:
        """Return the record with which the bot's life in a journal begins."""
        table = {symbol: msgspec.to_builtins(i, str_keys=True) for symbol, i in self.table.items()}
        return BotRegistered(
            at_ms=START,
            bot="V1",
            mode="virtual",
            venue="test",
            strategy="scripted",
            initial_balance_e8=INITIAL,
            settings=msgspec.json.encode({"instruments": table}).decode(),
        )

    def bot(self, rules: RiskRules, slippage: float) -> Bot:
        """Return a fresh bot whose signals are this market's script."""
        series = {
            symbol: ScriptedSeries(
                {int(t) + MINUTE: int(b) & 15 for t, b in zip(self.open_ms, self.signals[s], strict=True)},
                {int(t) + MINUTE: float(x) for t, x in zip(self.open_ms, self.scores[s], strict=True)},
            )
            for s, symbol in enumerate(self.symbols)
        }
        book = Book("V1", self.table, INITIAL, rules.leverage)
        return Bot(
            name="V1",
            tag="TEST",
            timeframe="1m",
            series=series,
            rules=rules,
            slippage=slippage,
            book=book,
            outputs=(1, 2, 4, 8),
            scored=True,
        )
