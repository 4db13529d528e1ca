"""The fused trade pass and the event-driven lane give the same trades, to the last unit.

Signals are scripted (random bits), so that this tests the trading half alone: sizing, rounds,
fills, stops, targets, fees, funding, gaps, and the end of data.
"""

import asyncio
from math import inf
from typing import Any

import numpy as np
import pytest

from regatta.bot.book import Book
from regatta.domain.events import TradeClosed
from regatta.engine.bus import EventBus
from regatta.engine.lane import Lane
from regatta.research import kernel as k
from regatta.risk.rules import RiskRules
from regatta.sim.venue import Frictions, SimulatedVenue
from tests.scripted import INITIAL, MINUTE, ListJournal, Market, ScriptedFeed

Row = tuple[Any, ...]


def run_lane(market: Market, rules: RiskRules, frictions: Frictions) -> tuple[list[Row], Book]:
    bot = market.bot(rules, frictions.slippage)
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
    return sorted(rows, key=lambda row: (row[4], row[0])), bot.book


def run_kernel(market: Market, rules: RiskRules, slippage: float) -> tuple[list[Row], int]:
    count = len(market.symbols)
    table = [market.table[symbol] for symbol in market.symbols]
    grid = np.array([[*t.tick, *t.unit, *t.lot, t.min_lots, t.taker_fee_e8, t.maker_fee_e8] for t in table], np.int64)
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
    close_ms = np.broadcast_to(market.open_ms + float(MINUTE), market.o.shape)
    blocks = np.stack([close_ms, market.o, market.h, market.low, market.c, np.ones_like(market.o)], axis=1)
    k.trade_pass(
        0, market.n, 0, MINUTE, blocks, market.signals,
        market.scores, settlements, grid, minimums, numbers, positions, levels, book, held,
        np.empty(count, np.int64), trades,
    )  # fmt: skip
    k.finish(market.n, blocks, grid, positions, levels, book, trades)
    found = [(*map(int, row[: k.T_REASON]), k.REASONS[row[k.T_REASON]]) for row in trades[: book[k.B_TRADES]]]
    return sorted(found, key=lambda row: (row[k.T_CLOSED], row[0])), int(book[k.B_BALANCE])


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
