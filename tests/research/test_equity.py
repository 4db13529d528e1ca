"""Equity at each close, against the books worked out trade by trade."""

import numpy as np

from regatta.domain.money import fee_e8
from regatta.research.backtest import BacktestResult
from tests.research.scenes import BUY, E8, INITIAL, SELL, Bar, Charge, flat, play
from tests.research.test_plain_and_compiled import result_of


def equity_by_hand(result: BacktestResult) -> list[int]:
    """Return equity at each row, from nothing but the trades, the settlements and the closes."""
    timeline = result.timeline
    found = []
    marks: dict[str, float] = {}
    for i, open_ms in enumerate(timeline.open_ms.tolist()):
        close_ms = open_ms + timeline.timeframe_ms
        for s, symbol in enumerate(timeline.symbols):
            if not np.isnan(timeline.blocks[s, 4, i]):
                marks[symbol] = timeline.blocks[s, 4, i]
        equity = result.setup.initial_e8
        for trade in result.trades():
            s = timeline.symbols.index(trade.symbol)
            own = result.instruments[s]
            if trade.closed_ms <= close_ms and not (trade.reason == "signal" and trade.closed_ms == close_ms):
                equity += trade.pnl_e8
            elif trade.opened_ms < close_ms:
                value = own.notional_e8(own.ticks(marks[trade.symbol]), trade.lots)
                equity += trade.side.sign * (value - trade.entry_cost_e8)
                equity -= fee_e8(trade.entry_cost_e8, own.taker_fee_e8)
                for row, rate, mark in timeline.settlements[s].tolist():
                    if row <= i and trade.opened_ms < timeline.open_ms[row]:
                        equity -= trade.side.sign * fee_e8(own.notional_e8(mark, trade.lots), rate)
        found.append(equity)
    return found


def test_equity_is_balance_plus_what_the_open_position_has_gained() -> None:
    bars = [flat(100, BUY), Bar(100, 101, 100, 101), Bar(101, 102, 101, 102, SELL), flat(102)]
    result = play(*bars, charges=[Charge(2, 10_000, 10_000)])
    entry, funding, exit_ = round(0.1 * E8), round(0.01 * E8), round(0.102 * E8)
    assert (result.equity() - INITIAL).tolist() == [
        0,
        E8 - entry,
        2 * E8 - entry - funding,
        2 * E8 - entry - funding - exit_,
    ]


def test_equity_with_gaps_funding_and_shorts_is_the_one_worked_out_trade_by_trade() -> None:
    result = result_of(5, "long and short", None)
    assert len(result.table) > 50
    assert result.equity().tolist() == equity_by_hand(result)
