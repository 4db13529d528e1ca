"""What a backtest is told as: figures, warnings, buy-and-hold beside them, trades as rows.

Positions that the end of the data closed are counted apart; their money is in every sum.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from regatta.domain.instrument import Instrument
from regatta.domain.money import E8, half_even, to_decimal
from regatta.domain.position import Trade
from regatta.journal.statistics import Statistics, statistics
from regatta.research.backtest import BacktestResult
from regatta.research.timeline import utc_iso, utc_text

TRADE_COLUMNS = (
    "trade_id",
    "symbol",
    "side",
    "quantity",
    "opened_at",
    "closed_at",
    "entry_price",
    "exit_price",
    "entry_cost",
    "exit_value",
    "fees",
    "funding",
    "pnl",
    "reason",
    "balance_after",
)


@dataclass(frozen=True)
class Report:
    """The figures of one backtest. trades: as the journal would hold them."""

    result: BacktestResult

    @cached_property
    def trades(self) -> list[Trade]:
        """All trades in order of closing, then by symbol."""
        return self.result.trades()

    @cached_property
    def statistics(self) -> Statistics:
        """All figures of `definitions.md`, from the trades and equity at each candle's close."""
        result, timeline = self.result, self.result.timeline
        start = timeline.decide_from
        marks = np.empty((len(timeline) - start, 2), np.int64)
        marks[:, 0] = timeline.open_ms[start:] + timeline.timeframe_ms
        marks[:, 1] = result.equity()
        return statistics(
            self.trades,
            marks,
            result.setup.initial_e8,
            started_ms=int(timeline.open_ms[start]),
            ended_ms=int(timeline.open_ms[-1]) + timeline.timeframe_ms,
        )

    @cached_property
    def buy_and_hold_e8(self) -> int:
        """What the initial balance would have gained, spread evenly over the symbols and held.

        Bought at the first open and sold at the last close of each symbol, taker fee on both.
        """
        result, timeline = self.result, self.result.timeline
        share = half_even(result.setup.initial_e8, len(timeline.symbols))
        gained = 0.0
        for block, instrument in zip(timeline.blocks, result.instruments, strict=True):
            held = block[:, timeline.decide_from :]
            present = np.flatnonzero(~np.isnan(held[4]))
            if len(present):
                fee = float(instrument.taker_fee)
                growth = float(held[4, present[-1]] / held[1, present[0]]) * (1.0 - fee) / (1.0 + fee)
                gained += share * (growth - 1.0)
        return round(gained)

    @cached_property
    def warnings(self) -> list[str]:
        """What the user must know before trusting the figures."""
        result, timeline = self.result, self.result.timeline
        said = [str(gap) for gap in result.gaps]
        begin = timeline.open_ms[timeline.decide_from]
        for symbol, runs in zip(timeline.symbols, timeline.runs, strict=True):
            if timeline.open_ms[runs[0][0]] > begin:
                said.append(f"{symbol}: its candles begin at {utc_text(int(timeline.open_ms[runs[0][0]]))} only")
            longest = max((end - start for start, end in runs), default=0)
            if longest < result.setup.graph.warmup:
                said.append(
                    f"{symbol}: its longest unbroken run has {longest} candles; "
                    f"{result.setup.graph.warmup} are needed before the first signal"
                )
        return said

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yield each trade as text by TRADE_COLUMNS; times ISO 8601, amounts exact."""
        grids = dict(zip(self.result.timeline.symbols, self.result.instruments, strict=True))
        for trade in self.trades:
            yield trade_row(trade, grids[trade.symbol])

    def document(self) -> dict[str, Any]:
        """Return the report for programs: amounts as exact decimals in text, ratios as numbers."""
        result, timeline, found = self.result, self.result.timeline, self.statistics
        initial = result.setup.initial_e8
        fall = found.drawdown
        return {
            "symbols": list(timeline.symbols),
            "from": utc_iso(int(timeline.open_ms[timeline.decide_from])),
            "to": utc_iso(int(timeline.open_ms[-1]) + timeline.timeframe_ms),
            "candles": timeline.candles,
            "initial_balance": exact(initial),
            "final_balance": exact(result.balance_e8),
            "pnl": exact(found.pnl_e8),
            "roi": found.roi,
            "trades": found.trades,
            "open_at_end": found.end_of_data,
            "open_at_end_pnl": exact(found.end_of_data_pnl_e8),
            "wins": found.wins,
            "losses": found.losses,
            "win_rate": found.win_rate,
            "profit_factor": found.profit_factor,
            "expectancy": None if found.expectancy_e8 is None else found.expectancy_e8 / E8,
            "best": None if found.best is None else exact(found.best.pnl_e8),
            "worst": None if found.worst is None else exact(found.worst.pnl_e8),
            "longest_win_streak": found.longest_win_streak,
            "longest_loss_streak": found.longest_loss_streak,
            "average_holding_s": None if found.average_holding_ms is None else found.average_holding_ms / 1000,
            "exposure": found.exposure,
            "fees": exact(found.fees_e8),
            "funding": exact(found.funding_e8),
            "annual_return": found.annual_return,
            "sharpe": found.sharpe,
            "sortino": found.sortino,
            "calmar": found.calmar,
            "max_drawdown": None if fall is None else fall.depth,
            "max_drawdown_from": None if fall is None or fall.depth == 0 else utc_iso(fall.peak_ms),
            "max_drawdown_length_s": None if fall is None else fall.length_ms / 1000,
            "days": found.days,
            "reliable": found.reliable,
            "buy_and_hold_pnl": exact(self.buy_and_hold_e8),
            "buy_and_hold_roi": self.buy_and_hold_e8 / initial,
            "by_symbol": self.by_symbol(),
            "by_reason": dict(Counter(trade.reason for trade in self.trades).most_common()),
            "held_back": result.held_back,
            "warnings": self.warnings,
            "gaps": [
                {"symbol": gap.symbol, "after": utc_iso(gap.after_ms), "missing": gap.missing} for gap in result.gaps
            ],
        }

    def by_symbol(self) -> dict[str, dict[str, Any]]:
        """Return trades and net PnL of each symbol, those closed by the end of the data included."""
        found: dict[str, dict[str, Any]] = {}
        for symbol in self.result.timeline.symbols:
            own = [trade for trade in self.trades if trade.symbol == symbol]
            wins = sum(trade.pnl_e8 > 0 for trade in own)
            found[symbol] = {"trades": len(own), "wins": wins, "pnl": exact(sum(trade.pnl_e8 for trade in own))}
        return found


def trade_row(trade: Trade, instrument: Instrument) -> tuple[str, ...]:
    """Return a trade as text by TRADE_COLUMNS."""
    return (
        trade.trade_id,
        trade.symbol,
        "long" if trade.side.sign > 0 else "short",
        f"{instrument.quantity(trade.lots):f}",
        utc_iso(trade.opened_ms),
        utc_iso(trade.closed_ms),
        f"{instrument.price_decimal(trade.entry_ticks):f}",
        f"{instrument.price_decimal(trade.exit_ticks):f}",
        exact(trade.entry_cost_e8),
        exact(trade.exit_value_e8),
        exact(trade.fees_e8),
        exact(trade.funding_e8),
        exact(trade.pnl_e8),
        trade.reason,
        exact(trade.balance_after_e8),
    )


def exact(amount_e8: int) -> str:
    """Return an amount with its eight places: "-12.50000000"."""
    return f"{to_decimal(amount_e8):f}"
