"""The trade pass: what a bot, its books and the simulated venue do, fused into one loop.

Runs as plain Python (the reference in the tests) and compiled. The rules are the functions of
`risk` and `sim`; this file only sequences them, in the order that the engine keeps:

1. Funding that settles at a candle's open is charged to positions that were open before it.
2. A market order decided at the last close meets the candle's open.
3. The stop that stood at the open is tested against the whole candle, else the target.
4. At the close all symbols of the row form a round: exits first, then entries by score
   (highest first), then in the order of the symbols (sorted by name).

Each symbol has two trigger prices, `down` and `up`. A flat symbol's are -inf and +inf; an open
position's are its stop and target; a pending order sets `down` to +inf. So what happens next on
a symbol is found by two compares and a look at one byte a candle (`next_event`), the loop jumps
from event to event, and a rule that is off costs nothing.

Rows are moments: column i of every array is the same candle period of all symbols. A symbol
without a candle there has NaN prices and the signal ABSENT.

CANDLES holds the very blocks that the graph runs on, (symbols, 6, n), so that nothing is copied
and one compilation serves any number of symbols.
"""

from math import inf
from typing import Any

from regatta.domain.money import fee_e8, nearest_steps, notional_e8, price_of, to_float
from regatta.risk.levels import stop_price, stop_ticks, target_ticks
from regatta.risk.margin import margin_e8, unrealised_e8
from regatta.risk.sizing import entry_lots
from regatta.sim.matching import (
    market_fill_ticks,
    stop_fill_ticks,
    stop_touched,
    target_fill_ticks,
    target_touched,
)

Array = Any  # NumPy arrays here; typed loosely because the compiler sees the same source

# Rows of a symbol's block in CANDLES (float64).
C_CLOSE_MS, C_OPEN, C_HIGH, C_LOW, C_CLOSE, C_VOLUME = range(6)

# Bits of a signal byte: the first four are the graph's, the others the kernel's.
ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT = 1, 2, 4, 8
ANY_SIGNAL = 15
FUNDING = 64
ABSENT = 128

# Columns of GRID (one row a symbol, int64).
G_TICK_NUM, G_TICK_DEN, G_UNIT_NUM, G_UNIT_DEN, G_LOT_NUM, G_LOT_DEN, G_MIN_LOTS, G_TAKER, G_MAKER = range(9)
GRID_COLUMNS = 9

# Columns of RULES (float64).
(
    R_SIZING,
    R_AMOUNT,
    R_ALLOCATION,
    R_LEVERAGE,
    R_TRADABLE,
    R_MAX_NOTIONAL,
    R_STOP,
    R_TARGET,
    R_MAX_POSITIONS,
    R_SLIPPAGE,
) = range(10)
RULES_COLUMNS = 10

# Columns of POSITIONS (one row a symbol, int64). P_SIDE: +1 long, -1 short, 0 flat.
(
    P_SIDE,
    P_LOTS,
    P_ENTRY,
    P_COST,
    P_FEES,
    P_FUNDING,
    P_OPENED,
    P_STOP,
    P_TARGET,
    P_PENDING,
    P_PENDING_LOTS,
    P_RESERVED,
    P_FUNDING_CURSOR,
) = range(13)
POSITION_COLUMNS = 13
PENDING_LONG, PENDING_SHORT, PENDING_EXIT = 1, -1, 2

# Columns of BOOK (int64).
B_BALANCE, B_OCCUPIED, B_TRADES, B_FUNDING, B_FEES = range(5)
BOOK_COLUMNS = 5

# Columns of HELD (int64 counts of entries that were held back).
H_IN_POSITION, H_MAX_POSITIONS, H_NO_BALANCE, H_BELOW_MINIMUM, H_TOO_LARGE = range(5)
HELD_REASONS = ("in_position", "max_positions", "no_balance", "below_minimum", "too_large")

# Columns of TRADES (int64).
(
    T_SYMBOL,
    T_SIDE,
    T_LOTS,
    T_OPENED,
    T_CLOSED,
    T_ENTRY,
    T_EXIT,
    T_COST,
    T_VALUE,
    T_FEES,
    T_FUNDING,
    T_PNL,
    T_REASON,
    T_BALANCE,
) = range(14)
TRADE_COLUMNS = 14
REASONS = ("stop_loss", "take_profit", "signal", "end_of_data")
BY_STOP, BY_TARGET, BY_SIGNAL, BY_END = range(4)


def close_position(
    s: int,
    exit_ticks: int,
    fee_rate: int,
    closed_ms: int,
    reason: int,
    GRID: Array,
    POSITIONS: Array,
    LEVELS: Array,
    BOOK: Array,
    TRADES: Array,
) -> None:
    """Book the exit of the whole position of symbol s and write the trade."""
    side = POSITIONS[s, P_SIDE]
    lots = POSITIONS[s, P_LOTS]
    value = notional_e8(exit_ticks, lots, GRID[s, G_UNIT_NUM], GRID[s, G_UNIT_DEN])
    fee = fee_e8(value, fee_rate)
    gross = side * (value - POSITIONS[s, P_COST])
    BOOK[B_BALANCE] += gross - fee
    BOOK[B_FEES] += fee
    t = BOOK[B_TRADES]
    TRADES[t, T_SYMBOL] = s
    TRADES[t, T_SIDE] = side
    TRADES[t, T_LOTS] = lots
    TRADES[t, T_OPENED] = POSITIONS[s, P_OPENED]
    TRADES[t, T_CLOSED] = closed_ms
    TRADES[t, T_ENTRY] = POSITIONS[s, P_ENTRY]
    TRADES[t, T_EXIT] = exit_ticks
    TRADES[t, T_COST] = POSITIONS[s, P_COST]
    TRADES[t, T_VALUE] = value
    TRADES[t, T_FEES] = POSITIONS[s, P_FEES] + fee
    TRADES[t, T_FUNDING] = POSITIONS[s, P_FUNDING]
    TRADES[t, T_PNL] = gross - TRADES[t, T_FEES] - POSITIONS[s, P_FUNDING]
    TRADES[t, T_REASON] = reason
    TRADES[t, T_BALANCE] = BOOK[B_BALANCE]
    BOOK[B_TRADES] += 1
    BOOK[B_OCCUPIED] -= 1
    POSITIONS[s, P_SIDE] = 0
    POSITIONS[s, P_LOTS] = 0
    POSITIONS[s, P_COST] = 0
    POSITIONS[s, P_PENDING] = 0
    LEVELS[0, s] = -inf
    LEVELS[1, s] = inf


def open_position(
    s: int,
    open_ms: int,
    open_: float,
    GRID: Array,
    RULES: Array,
    POSITIONS: Array,
    LEVELS: Array,
    BOOK: Array,
) -> None:
    """Fill the pending entry of symbol s at the open and set its stop and target."""
    side = POSITIONS[s, P_PENDING]
    lots = POSITIONS[s, P_PENDING_LOTS]
    num = GRID[s, G_TICK_NUM]
    den = GRID[s, G_TICK_DEN]
    ticks = market_fill_ticks(side, open_, RULES[R_SLIPPAGE], num, den)
    cost = notional_e8(ticks, lots, GRID[s, G_UNIT_NUM], GRID[s, G_UNIT_DEN])
    fee = fee_e8(cost, GRID[s, G_TAKER])
    BOOK[B_BALANCE] -= fee
    BOOK[B_FEES] += fee
    POSITIONS[s, P_SIDE] = side
    POSITIONS[s, P_LOTS] = lots
    POSITIONS[s, P_ENTRY] = ticks
    POSITIONS[s, P_COST] = cost
    POSITIONS[s, P_FEES] = fee
    POSITIONS[s, P_FUNDING] = 0
    POSITIONS[s, P_OPENED] = open_ms
    POSITIONS[s, P_PENDING] = 0
    POSITIONS[s, P_RESERVED] = 0
    entry = price_of(ticks, num, den)
    stop = -inf if side > 0 else inf
    target = inf if side > 0 else -inf
    if RULES[R_STOP] < inf:
        POSITIONS[s, P_STOP] = stop_ticks(side, ticks, entry, RULES[R_STOP], num, den)
        stop = price_of(POSITIONS[s, P_STOP], num, den)
    if RULES[R_TARGET] < inf:
        POSITIONS[s, P_TARGET] = target_ticks(side, ticks, entry, RULES[R_TARGET], num, den)
        target = price_of(POSITIONS[s, P_TARGET], num, den)
    if side > 0:
        LEVELS[0, s] = stop
        LEVELS[1, s] = target
    else:
        LEVELS[0, s] = target
        LEVELS[1, s] = stop


def settle_funding(s: int, i: int, GRID: Array, SETTLEMENTS: Array, POSITIONS: Array, BOOK: Array) -> None:
    """Charge the settlements of row i to an open position of symbol s; (row, rate, mark) each."""
    k = POSITIONS[s, P_FUNDING_CURSOR]
    while k < SETTLEMENTS.shape[1] and SETTLEMENTS[s, k, 0] <= i:
        if SETTLEMENTS[s, k, 0] == i and POSITIONS[s, P_SIDE] != 0:
            value = notional_e8(SETTLEMENTS[s, k, 2], POSITIONS[s, P_LOTS], GRID[s, G_UNIT_NUM], GRID[s, G_UNIT_DEN])
            paid = POSITIONS[s, P_SIDE] * fee_e8(value, SETTLEMENTS[s, k, 1])
            POSITIONS[s, P_FUNDING] += paid
            BOOK[B_BALANCE] -= paid
            BOOK[B_FUNDING] += paid
        k += 1
    POSITIONS[s, P_FUNDING_CURSOR] = k


def inside_candle(
    s: int,
    i: int,
    open_ms: int,
    length_ms: int,
    signal: int,
    open_: float,
    high: float,
    low: float,
    SETTLEMENTS: Array,
    GRID: Array,
    RULES: Array,
    POSITIONS: Array,
    LEVELS: Array,
    BOOK: Array,
    TRADES: Array,
) -> None:
    """Handle what the hot loop noticed on candle i of symbol s: funding, open, stop, target."""
    if signal & FUNDING:
        settle_funding(s, i, GRID, SETTLEMENTS, POSITIONS, BOOK)
    if signal & ABSENT:
        return
    num = GRID[s, G_TICK_NUM]
    den = GRID[s, G_TICK_DEN]
    if POSITIONS[s, P_PENDING] == PENDING_EXIT:
        ticks = market_fill_ticks(-POSITIONS[s, P_SIDE], open_, RULES[R_SLIPPAGE], num, den)
        close_position(s, ticks, GRID[s, G_TAKER], open_ms, BY_SIGNAL, GRID, POSITIONS, LEVELS, BOOK, TRADES)
        return
    if POSITIONS[s, P_PENDING] != 0:
        open_position(s, open_ms, open_, GRID, RULES, POSITIONS, LEVELS, BOOK)
    side = POSITIONS[s, P_SIDE]
    if side == 0:
        return
    stop = LEVELS[0, s] if side > 0 else LEVELS[1, s]
    target = LEVELS[1, s] if side > 0 else LEVELS[0, s]
    if stop_touched(side, stop, low, high):
        ticks = stop_fill_ticks(side, stop, open_, RULES[R_SLIPPAGE], num, den)
        rate = GRID[s, G_TAKER]
        close_position(s, ticks, rate, open_ms + length_ms, BY_STOP, GRID, POSITIONS, LEVELS, BOOK, TRADES)
    elif target_touched(side, target, low, high):
        ticks = target_fill_ticks(side, POSITIONS[s, P_TARGET], open_, num, den)
        rate = GRID[s, G_MAKER]
        close_position(s, ticks, rate, open_ms + length_ms, BY_TARGET, GRID, POSITIONS, LEVELS, BOOK, TRADES)


def last_row(s: int, i: int, CANDLES: Array) -> int:
    """Return the newest row up to i at which symbol s has a candle."""
    while CANDLES[s, C_CLOSE, i] != CANDLES[s, C_CLOSE, i]:
        i -= 1
    return i


def decide_round(
    i: int,
    CANDLES: Array,
    SIGNALS: Array,
    SCORES: Array,
    GRID: Array,
    MIN_NOTIONAL: Array,
    RULES: Array,
    POSITIONS: Array,
    LEVELS: Array,
    BOOK: Array,
    HELD: Array,
) -> None:
    """Decide the round of row i: exits first, then entries by score, then by symbol."""
    n = SIGNALS.shape[0]
    wanting = 0
    for s in range(n):
        signal = SIGNALS[s, i]
        side = POSITIONS[s, P_SIDE]
        leaves = signal & EXIT_LONG if side > 0 else signal & EXIT_SHORT
        if side != 0 and leaves != 0 and POSITIONS[s, P_PENDING] == 0:
            POSITIONS[s, P_PENDING] = PENDING_EXIT
            LEVELS[0, s] = inf
        if signal & (ENTER_LONG | ENTER_SHORT):
            if POSITIONS[s, P_SIDE] != 0 or POSITIONS[s, P_PENDING] != 0:
                HELD[H_IN_POSITION] += 1
            else:
                wanting += 1
    if wanting == 0:
        return

    equity = BOOK[B_BALANCE]
    bound = 0
    leverage = int(RULES[R_LEVERAGE])
    for s in range(n):
        side = POSITIONS[s, P_SIDE]
        if side != 0:
            mark = nearest_steps(CANDLES[s, C_CLOSE, last_row(s, i, CANDLES)], GRID[s, G_TICK_NUM], GRID[s, G_TICK_DEN])
            value = notional_e8(mark, POSITIONS[s, P_LOTS], GRID[s, G_UNIT_NUM], GRID[s, G_UNIT_DEN])
            equity += unrealised_e8(side, value, POSITIONS[s, P_COST])
            bound += margin_e8(POSITIONS[s, P_COST], leverage)
        elif POSITIONS[s, P_PENDING] != 0:
            bound += margin_e8(POSITIONS[s, P_RESERVED], leverage)

    ranked = SCORES.shape[0] == n
    last = inf
    after = -1
    for _ in range(wanting):
        # The next one in order of (score descending, symbol): n is small, no sort needed.
        best = -1
        for s in range(n):
            if not SIGNALS[s, i] & (ENTER_LONG | ENTER_SHORT):
                continue
            if POSITIONS[s, P_SIDE] != 0 or POSITIONS[s, P_PENDING] != 0:
                continue
            score = SCORES[s, i] if ranked else 100.0
            if score > last or (score == last and s <= after):
                continue
            if best < 0 or score > (SCORES[best, i] if ranked else 100.0):
                best = s
        if best < 0:
            break
        s = best
        last = SCORES[s, i] if ranked else 100.0
        after = s
        if BOOK[B_OCCUPIED] >= RULES[R_MAX_POSITIONS]:
            HELD[H_MAX_POSITIONS] += 1
            continue
        sign = 1 if SIGNALS[s, i] & ENTER_LONG else -1
        price = CANDLES[s, C_CLOSE, i]
        stop = stop_price(sign, price, RULES[R_STOP]) if RULES[R_STOP] < inf else 0.0
        lots = entry_lots(
            int(RULES[R_SIZING]),
            RULES[R_AMOUNT],
            to_float(equity),
            to_float(equity - bound),
            price,
            stop,
            RULES[R_ALLOCATION],
            RULES[R_LEVERAGE],
            RULES[R_TRADABLE],
            RULES[R_MAX_NOTIONAL],
            to_float(GRID[s, G_TAKER]),
            RULES[R_SLIPPAGE],
            GRID[s, G_LOT_NUM],
            GRID[s, G_LOT_DEN],
            GRID[s, G_MIN_LOTS],
            MIN_NOTIONAL[s],
        )
        if lots <= 0:
            # REFUSALS: -1 below_minimum, -2 no_balance, -3 too_large
            if lots == -1:
                HELD[H_BELOW_MINIMUM] += 1
            elif lots == -2:
                HELD[H_NO_BALANCE] += 1
            else:
                HELD[H_TOO_LARGE] += 1
            continue
        ticks = nearest_steps(price, GRID[s, G_TICK_NUM], GRID[s, G_TICK_DEN])
        reserved = notional_e8(ticks, lots, GRID[s, G_UNIT_NUM], GRID[s, G_UNIT_DEN])
        POSITIONS[s, P_PENDING] = sign
        POSITIONS[s, P_PENDING_LOTS] = lots
        POSITIONS[s, P_RESERVED] = reserved
        LEVELS[0, s] = inf
        BOOK[B_OCCUPIED] += 1
        bound += margin_e8(reserved, leverage)


def trade_pass(
    first: int,
    last: int,
    decide_from: int,
    length_ms: int,
    CANDLES: Array,
    SIGNALS: Array,
    SCORES: Array,
    SETTLEMENTS: Array,
    GRID: Array,
    MIN_NOTIONAL: Array,
    RULES: Array,
    POSITIONS: Array,
    LEVELS: Array,
    BOOK: Array,
    HELD: Array,
    NEXT: Array,
    TRADES: Array,
) -> None:
    """Run rows first..last-1. All state lies in the arrays, so that rows can come in blocks.

    CANDLES: (symbols, 6, n) float64, NaN prices where absent, the close time in every row;
    SIGNALS: (symbols, n) uint8; SCORES: (symbols, n) float64, or (0, 0) when the strategy has
    none; SETTLEMENTS: (symbols, k, 3) int64 of row, rate_e8, mark ticks (row past the end as
    filler); NEXT: (symbols,) int64, scratch; TRADES: at least one free row per symbol and row of
    the block.
    No round is decided before row `decide_from`.
    """
    n = SIGNALS.shape[0]
    for s in range(n):
        NEXT[s] = next_event(s, first, last, CANDLES, SIGNALS, LEVELS)
    i = earliest(NEXT, last)
    while i < last:
        wanted = 0
        for s in range(n):
            if NEXT[s] == i:
                signal = SIGNALS[s, i]
                wanted |= signal
                low = CANDLES[s, C_LOW, i]
                high = CANDLES[s, C_HIGH, i]
                if low <= LEVELS[0, s] or high >= LEVELS[1, s] or signal & FUNDING:
                    open_ms = int(CANDLES[s, C_CLOSE_MS, i]) - length_ms
                    inside_candle(
                        s, i, open_ms, length_ms, signal, CANDLES[s, C_OPEN, i], high, low, SETTLEMENTS, GRID, RULES,
                        POSITIONS, LEVELS, BOOK, TRADES,
                    )  # fmt: skip
        if wanted & ANY_SIGNAL and i >= decide_from:
            decide_round(i, CANDLES, SIGNALS, SCORES, GRID, MIN_NOTIONAL, RULES, POSITIONS, LEVELS, BOOK, HELD)
        for s in range(n):
            # The levels of a symbol change with its own events, and with an order of this round.
            if NEXT[s] == i or LEVELS[0, s] == inf:
                NEXT[s] = next_event(s, i + 1, last, CANDLES, SIGNALS, LEVELS)
        i = earliest(NEXT, last)


def next_event(s: int, i: int, last: int, CANDLES: Array, SIGNALS: Array, LEVELS: Array) -> int:
    """Return the first row from i on with a signal of symbol s or a touched level; `last` if there is none."""
    down = LEVELS[0, s]
    up = LEVELS[1, s]
    # One branch a candle: this is the loop in which nearly all rows are passed over. Opens and
    # times are never below 0; to look at them here brings them into the cache in a stream,
    # which costs less than a miss at each event.
    while i < last and not (
        (SIGNALS[s, i] != 0)
        | (CANDLES[s, C_LOW, i] <= down)
        | (CANDLES[s, C_HIGH, i] >= up)
        | (CANDLES[s, C_OPEN, i] < 0.0)
        | (CANDLES[s, C_CLOSE_MS, i] < 0.0)
    ):
        i += 1
    return i


def earliest(NEXT: Array, last: int) -> int:
    """Return the smallest of NEXT, at most `last`."""
    for i in NEXT:
        if i < last:
            last = i
    return last


def finish(
    n_rows: int,
    CANDLES: Array,
    GRID: Array,
    POSITIONS: Array,
    LEVELS: Array,
    BOOK: Array,
    TRADES: Array,
) -> None:
    """Close what is open at the last close of its symbol: reason `end_of_data`, taker fee."""
    for s in range(GRID.shape[0]):
        if POSITIONS[s, P_SIDE] == 0:
            continue
        i = last_row(s, n_rows - 1, CANDLES)
        ticks = nearest_steps(CANDLES[s, C_CLOSE, i], GRID[s, G_TICK_NUM], GRID[s, G_TICK_DEN])
        closed_ms = int(CANDLES[s, C_CLOSE_MS, i])
        close_position(s, ticks, GRID[s, G_TAKER], closed_ms, BY_END, GRID, POSITIONS, LEVELS, BOOK, TRADES)
