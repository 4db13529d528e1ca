"""Equity of a finished backtest at each candle's close: its trades played once more, marked.

A pass of its own, so that a backtest whose report nobody reads does not pay for it. Exact: after
every row it equals balance plus unrealised PnL of the bot, in 10**-8 quote.
"""

from typing import Any

from regatta.domain.money import fee_e8, nearest_steps, notional_e8
from regatta.research.kernel import (
    C_CLOSE,
    G_TAKER,
    G_TICK_DEN,
    G_TICK_NUM,
    G_UNIT_DEN,
    G_UNIT_NUM,
    T_COST,
    T_FEES,
    T_LOTS,
    T_SIDE,
    T_SYMBOL,
    T_VALUE,
)

Array = Any  # NumPy arrays, as in the kernel

FLAT = -1
"""In HOLDS: the symbol has no open position."""


def funding_paid(s: int, i: int, trade: Array, SETTLEMENTS: Array, GRID: Array, CURSORS: Array) -> int:
    """Return what the open trade of symbol s pays at row i; settlements before it are passed over."""
    paid = 0
    j = CURSORS[s]
    while j < SETTLEMENTS.shape[1] and SETTLEMENTS[s, j, 0] <= i:
        if SETTLEMENTS[s, j, 0] == i:
            value = notional_e8(SETTLEMENTS[s, j, 2], trade[T_LOTS], GRID[s, G_UNIT_NUM], GRID[s, G_UNIT_DEN])
            paid += trade[T_SIDE] * fee_e8(value, SETTLEMENTS[s, j, 1])
        j += 1
    CURSORS[s] = j
    return paid


def gained_at_exit(trade: Array, taker: int) -> int:
    """Return what the exit of a trade adds to the balance: its gross gain less the exit's fee."""
    entry_fee = fee_e8(trade[T_COST], taker)
    return int(trade[T_SIDE] * (trade[T_VALUE] - trade[T_COST]) - (trade[T_FEES] - entry_fee))


def equity_pass(
    initial_e8: int,
    CANDLES: Array,
    SETTLEMENTS: Array,
    GRID: Array,
    TRADES: Array,
    ENTERED: Array,
    LEFT: Array,
    HOLDS: Array,
    CURSORS: Array,
    MARKS: Array,
    EQUITY: Array,
) -> None:
    """Write the equity after each row into EQUITY, int64 (n,).

    CANDLES, SETTLEMENTS, GRID: as in the kernel. TRADES: int64 (m, columns), in order of entry;
    ENTERED, LEFT: rows of entry and exit of each, int64 (m,). HOLDS (all FLAT), CURSORS, MARKS
    (zeros): int64 (symbols,), working space.
    """
    symbols = GRID.shape[0]
    balance = initial_e8
    open_count = 0
    coming = 0
    for i in range(EQUITY.shape[0]):
        if open_count > 0:
            for s in range(symbols):
                held = HOLDS[s]
                if held != FLAT:
                    balance -= funding_paid(s, i, TRADES[held], SETTLEMENTS, GRID, CURSORS)
                    if LEFT[held] == i:
                        balance += gained_at_exit(TRADES[held], GRID[s, G_TAKER])
                        HOLDS[s] = FLAT
                        open_count -= 1
        while coming < ENTERED.shape[0] and ENTERED[coming] == i:
            trade = TRADES[coming]
            s = trade[T_SYMBOL]
            # Settlements up to this row are charged to positions that were open before it.
            while CURSORS[s] < SETTLEMENTS.shape[1] and SETTLEMENTS[s, CURSORS[s], 0] <= i:
                CURSORS[s] += 1
            balance -= fee_e8(trade[T_COST], GRID[s, G_TAKER])
            if LEFT[coming] == i:
                balance += gained_at_exit(trade, GRID[s, G_TAKER])
            else:
                HOLDS[s] = coming
                open_count += 1
            coming += 1
        equity = balance
        if open_count > 0:
            for s in range(symbols):
                held = HOLDS[s]
                if held != FLAT:
                    close = CANDLES[s, C_CLOSE, i]
                    if close == close:  # noqa: PLR0124 - NaN where the symbol has no candle
                        MARKS[s] = nearest_steps(close, GRID[s, G_TICK_NUM], GRID[s, G_TICK_DEN])
                    lots = TRADES[held, T_LOTS]
                    value = notional_e8(MARKS[s], lots, GRID[s, G_UNIT_NUM], GRID[s, G_UNIT_DEN])
                    equity += TRADES[held, T_SIDE] * (value - TRADES[held, T_COST])
        EQUITY[i] = equity
