"""The fused trade pass and the event-driven lane give the same trades, to the last unit.

Signals are scripted (random bits), so that this tests the trading half alone: sizing, rounds,
fills, stops, targets, fees, funding, gaps, and the end of data.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from math import inf

import msgspec
import numpy as np
import pytest

from regatta.bot.book import Book
from regatta.bot.bot import Bot
from regatta.domain.candle import Candle
from regatta.domain.events import (
    AnyRecord,
    CandleClosed,
    CandleOpened,
    CloseTimePassed,
    EndOfData,
    FundingSettled,
    MarketEvent,
    TradeClosed,
)
from regatta.domain.instrument import Instrument
from regatta.domain.signal import Check
from regatta.engine.bus import EventBus
from regatta.engine.lane import Lane
from regatta.research import kernel as k
from regatta.risk.rules import RiskRules
from regatta.sim.venue import Frictions, SimulatedVenue

MINUTE = 60_000
START = 1_700_000_000_000 // MINUTE * MINUTE
INITIAL = 10_000 * 10**8


class Moment(msgspec.Struct):
    at_ms: int
    phase: str
    events: list[MarketEvent]


class ScriptedFeed:
    name = "scripted"

    def __init__(self, moments: Sequence[Moment]) -> None:
        self._moments = moments

    async def instants(self) -> AsyncIterator[Moment]:
        for moment in self._moments:
            yield moment


class ScriptedSeries:
    """Says what it is told to say, candle by candle."""

    outputs = ("enter_long", "exit_long", "enter_short", "exit_short")

    def __init__(self, bits: dict[int, int], scores: dict[int, float]) -> None:
        self.close_ms = 0
        self._bits = bits
        self._scores = scores

    def step(self, close_ms: int, open_: float, high: float, low: float, close: float, volume: float) -> int:
        self.close_ms = close_ms
        return self._bits[close_ms]

    def reset(self) -> None: ...

    def first_failing(self, output: str) -> str:
        return "scripted"

    def checks(self, output: str) -> Sequence[Check]:
        return ()

    def score(self) -> float:
        return self._scores[self.close_ms]


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
                CandleClosed(
                    Candle(
                        symbol,
                        "1m",
                        open_ms,
                        close_ms,
                        *(float(array[s, i]) for array in (self.o, self.h, self.low, self.c)),
                        1e9,
                    )
                )
                for s, symbol in enumerate(self.symbols)
                if not self.signals[s, i] & k.ABSENT
            ]
            closed.append(CloseTimePassed("1m", close_ms))
            moments.append(Moment(close_ms, "closed", closed))
        moments.append(Moment(close_ms, "closed", [EndOfData(close_ms)]))
        return moments


def run_lane(market: Market, rules: RiskRules, frictions: Frictions) -> tuple[list[tuple[object, ...]], Book]:
    series = {
        symbol: ScriptedSeries(
            {int(t) + MINUTE: int(b) & 15 for t, b in zip(market.open_ms, market.signals[s], strict=True)},
            {int(t) + MINUTE: float(x) for t, x in zip(market.open_ms, market.scores[s], strict=True)},
        )
        for s, symbol in enumerate(market.symbols)
    }
    book = Book("V1", market.table, INITIAL, rules.leverage)
    bot = Bot(name="V1", tag="TEST", timeframe="1m", series=series, rules=rules, slippage=frictions.slippage, book=book)
    journal = ListJournal()
    lane = Lane(
        feed=ScriptedFeed(market.moments()),
        venue=SimulatedVenue("test", market.table, frictions),
        bots=[bot],
        journal=journal,
        bus=EventBus(),
    )
    asyncio.run(lane.run())
    assert bot.last_error == ""
    trades = [record.trade for record in journal.records if isinstance(record, TradeClosed)]
    rows = [
        (
            market.symbols.index(t.symbol),
            t.side.sign,
            t.lots,
            t.opened_ms,
            t.closed_ms,
            t.entry_ticks,
            t.exit_ticks,
            t.entry_cost_e8,
            t.exit_value_e8,
            t.fees_e8,
            t.funding_e8,
            t.pnl_e8,
            t.reason,
        )
        for t in trades
    ]
    return sorted(rows, key=lambda row: (row[4], row[0])), book


def run_kernel(market: Market, rules: RiskRules, slippage: float) -> tuple[list[tuple[object, ...]], int]:
    count = len(market.symbols)
    table = [market.table[symbol] for symbol in market.symbols]
    grid = np.array(
        [[*t.tick, *t.unit, *t.lot, t.min_lots, t.taker_fee_e8, t.maker_fee_e8] for t in table], np.int64
    )
    numbers = np.array(
        [
            rules.sizing,
            rules.amount,
            rules.allocation,
            rules.leverage,
            rules.tradable,
            rules.max_notional,
            rules.stop,
            rules.target,
            rules.max_positions,
            slippage,
        ]
    )
    longest = max(len(rows) for rows in market.settlements)
    settlements = np.full((count, longest, 3), market.n + 1, np.int64)
    for s, rows in enumerate(market.settlements):
        settlements[s, : len(rows)] = rows
    positions = np.zeros((count, k.POSITION_COLUMNS), np.int64)
    levels = np.array([[-inf] * count, [inf] * count])
    book = np.zeros(k.BOOK_COLUMNS, np.int64)
    book[k.B_BALANCE] = INITIAL
    held = np.zeros(len(k.HELD_REASONS), np.int64)
    trades = np.zeros((market.n * count, k.TRADE_COLUMNS), np.int64)
    minimums = np.array([float(t.min_notional) for t in table])
    k.trade_pass(
        0, market.n, 0, market.open_ms, MINUTE, market.o, market.h, market.low, market.c, market.signals,
        market.scores, settlements, grid, minimums, numbers, positions, levels, book, held, trades,
    )  # fmt: skip
    k.finish(market.n, market.open_ms, MINUTE, market.c, grid, positions, levels, book, trades)
    rows = [(*map(int, row[: k.T_REASON]), k.REASONS[row[k.T_REASON]]) for row in trades[: book[k.B_TRADES]]]
    return sorted(rows, key=lambda row: (row[k.T_CLOSED], row[0])), int(book[k.B_BALANCE])


CASES = {
    "long, two positions of four symbols": (RiskRules(max_positions=2), 0.0, False),
    "gaps in the candles": (RiskRules(max_positions=2), 0.1, False),
    "long and short, leverage 3, small targets": (
        RiskRules(max_positions=3, leverage=3, stop=0.004, target=0.006, amount=0.02),
        0.02,
        True,
    ),
    "no stop, no target": (RiskRules(max_positions=4, stop=inf, target=inf, sizing=1, amount=0.2), 0.0, True),
    "fixed amount": (RiskRules(max_positions=4, sizing=2, amount=250.0, stop=0.01, target=0.01), 0.02, True),
    "more than the balance carries": (RiskRules(max_positions=4, amount=0.5), 0.0, False),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_kernel_and_lane_give_the_same_trades(name: str, seed: int) -> None:
    rules, missing, short = CASES[name]
    market = Market(seed, 700, missing=missing, short=short, busy=0.15)
    from_lane, book = run_lane(market, rules, Frictions())
    from_kernel, balance = run_kernel(market, rules, Frictions().slippage)
    assert len(from_kernel) > 20, "the case must trade"
    assert from_lane == from_kernel
    assert book.balance_e8 == balance
    assert balance == INITIAL + sum(row[k.T_PNL] for row in from_kernel)


@pytest.mark.parametrize("seed", [1, 2])
def test_fills_in_two_parts_end_in_the_same_positions(seed: int) -> None:
    rules = RiskRules(max_positions=4)
    market = Market(seed, 400, missing=0.0, short=False, busy=0.1)
    whole, _ = run_lane(market, rules, Frictions())
    split, book = run_lane(market, rules, Frictions(split_probability=1.0))
    assert [row[:2] + row[3:5] for row in split][:5] == [row[:2] + row[3:5] for row in whole][:5]
    assert book.balance_e8 == INITIAL + sum(row[k.T_PNL] for row in split)
