"""A backtest at full speed: the graph's signals and the trade pass, block by block.

The same strategy, risk rules and matching rules as everywhere else; only the loop around them is
another one, and compiled. Money is exact: balance = initial + the sum of all trades' PnL.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf

import numpy as np

from regatta.domain.errors import BadInput
from regatta.domain.instrument import Instrument
from regatta.domain.order import Side
from regatta.domain.position import Trade
from regatta.graph import ENTER_LONG, ENTER_SHORT, Graph, GraphFunction, signals
from regatta.graph.batch import feeder_block
from regatta.research import kernel as k
from regatta.research.compiled import Kernel
from regatta.research.equity import FLAT
from regatta.research.feeders import feeds_of
from regatta.research.timeline import Floats, Ints, MissingCandles, SymbolData, Timeline, lay_out
from regatta.risk.rules import RiskRules

BLOCK_CANDLES = 16_384
"""Candles, of all symbols together, that signals and trades are computed for in turn: what both
touch stays in the cache."""

BLOCK_ROWS_LEAST = 4_096
"""Rows of a block at least: shorter ones would cost more in calls than they save."""

Progress = Callable[[int, int], None]
"""Called after each block with the rows done and all rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Setup:
    """What is traded by which rules. slippage: fraction; initial_e8: 10**-8 quote."""

    graph: Graph
    function: GraphFunction
    kernel: Kernel
    rules: RiskRules
    slippage: float
    initial_e8: int
    bot: str = "backtest"


@dataclass(frozen=True, slots=True, eq=False)
class BacktestResult:
    """What came of it.

    table: int64 (trades, kernel columns), sorted by close time, then symbol. held_back: how many
    entries were wanted and not made, by reason. gaps: where candles were missing.
    """

    setup: Setup
    timeline: Timeline
    instruments: tuple[Instrument, ...]
    table: Ints
    balance_e8: int
    fees_e8: int
    funding_e8: int
    held_back: dict[str, int]
    gaps: tuple[MissingCandles, ...]

    def trades(self) -> list[Trade]:
        """Return the trades as the journal would hold them; ids count in order of closing."""
        bot, symbols = self.setup.bot, self.timeline.symbols
        return [
            Trade(
                trade_id=f"{bot}-{number}",
                bot=bot,
                symbol=symbols[row[k.T_SYMBOL]],
                side=Side.BUY if row[k.T_SIDE] > 0 else Side.SELL,
                lots=row[k.T_LOTS],
                opened_ms=row[k.T_OPENED],
                closed_ms=row[k.T_CLOSED],
                entry_ticks=row[k.T_ENTRY],
                exit_ticks=row[k.T_EXIT],
                entry_cost_e8=row[k.T_COST],
                exit_value_e8=row[k.T_VALUE],
                fees_e8=row[k.T_FEES],
                funding_e8=row[k.T_FUNDING],
                pnl_e8=row[k.T_PNL],
                reason=k.REASONS[row[k.T_REASON]],
                balance_after_e8=row[k.T_BALANCE],
            )
            for number, row in enumerate(self.table.tolist(), start=1)
        ]

    def equity(self) -> Ints:
        """Return equity at the close of each row from `decide_from` on, in 10**-8 quote."""
        timeline, table = self.timeline, self.table
        start, step = timeline.decide_from, timeline.timeframe_ms
        by_entry = table[np.lexsort((table[:, k.T_SYMBOL], table[:, k.T_OPENED]))]
        entered = np.searchsorted(timeline.open_ms, by_entry[:, k.T_OPENED])
        # An exit at a signal has the open of its row as its time, every other one the close.
        at_open = by_entry[:, k.T_REASON] == k.BY_SIGNAL
        left = np.searchsorted(timeline.open_ms, by_entry[:, k.T_CLOSED] - np.where(at_open, 0, step))
        equity = np.empty(len(timeline), np.int64)
        count = len(timeline.symbols)
        zeros = np.zeros((2, count), np.int64)
        self.setup.kernel.equity_pass(
            self.setup.initial_e8,
            timeline.blocks,
            timeline.settlements,
            grid_of(self.instruments),
            by_entry,
            entered,
            left,
            np.full(count, FLAT, np.int64),
            zeros[0],
            zeros[1],
            equity,
        )
        return equity[start:]


def run(
    setup: Setup,
    data: Mapping[str, SymbolData],
    timeframe_ms: int,
    *,
    from_ms: int | None = None,
    progress: Progress | None = None,
) -> BacktestResult:
    """Run the strategy over stored candles.

    data: by symbol; candles that open before from_ms only warm the indicators up. Raises BadInput
    for candles that can't be, or rules that an instrument does not allow.
    """
    timeline = lay_out(data, timeframe_ms, from_ms)
    return replay(setup, timeline, tuple(data[symbol].instrument for symbol in timeline.symbols), progress)


def replay(
    setup: Setup, timeline: Timeline, instruments: tuple[Instrument, ...], progress: Progress | None = None
) -> BacktestResult:
    """Run the strategy over candles that are laid out already; the timeline's signals are written.

    instruments: those of the timeline's symbols, in their order. Raises BadInput for rules that
    an instrument does not allow.
    """
    refuse_rules(setup, instruments)
    n, count = len(timeline), len(timeline.symbols)
    scored = next(iter(setup.graph.columns), "") == "score"
    scores = np.empty((count, n)) if scored else np.empty((0, 0))
    writers = [SignalWriter(setup, timeline, s, scores) for s in range(count)]
    trade_pass, finish = setup.kernel.trade_pass, setup.kernel.finish
    grid = grid_of(instruments)
    minimums = np.array([float(i.min_notional) for i in instruments])
    numbers = numbers_of(setup.rules, setup.slippage)
    positions = np.zeros((count, k.POSITION_COLUMNS), np.int64)
    levels = np.array([[-inf] * count, [inf] * count])
    book = np.zeros(k.BOOK_COLUMNS, np.int64)
    book[k.B_BALANCE] = setup.initial_e8
    held = np.zeros(len(k.HELD_REASONS), np.int64)
    upcoming = np.empty(count, np.int64)
    rows = block_rows(count)
    buffer = np.empty(((rows + 1) * count, k.TRADE_COLUMNS), np.int64)
    done: list[Ints] = []
    for first in range(0, n, rows):
        last = min(first + rows, n)
        for writer in writers:
            writer.write(first, last)
        trade_pass(
            first, last, timeline.decide_from, timeline.timeframe_ms, timeline.blocks, timeline.signals, scores,
            timeline.settlements, grid, minimums, numbers, positions, levels, book, held, upcoming, buffer,
        )  # fmt: skip
        if last == n:
            finish(n, timeline.blocks, grid, positions, levels, book, buffer)
        if book[k.B_TRADES]:
            done.append(buffer[: book[k.B_TRADES]].copy())
            book[k.B_TRADES] = 0
        if progress is not None:
            progress(last, n)
    table = np.concatenate(done) if done else np.empty((0, k.TRADE_COLUMNS), np.int64)
    return BacktestResult(
        setup=setup,
        timeline=timeline,
        instruments=instruments,
        table=table[np.lexsort((table[:, k.T_SYMBOL], table[:, k.T_CLOSED]))],
        balance_e8=int(book[k.B_BALANCE]),
        fees_e8=int(book[k.B_FEES]),
        funding_e8=int(book[k.B_FUNDING]),
        held_back={reason: count for reason, count in zip(k.HELD_REASONS, held.tolist(), strict=True) if count},
        gaps=timeline.gaps,
    )


def block_rows(symbols: int) -> int:
    """Return how many rows are computed in turn."""
    return max(BLOCK_ROWS_LEAST, BLOCK_CANDLES // symbols)


class SignalWriter:
    """Writes the signal bytes of one symbol into the timeline, block after block."""

    def __init__(self, setup: Setup, timeline: Timeline, s: int, scores: Floats) -> None:
        graph = setup.graph
        self._graph, self._function = graph, setup.function
        self._timeframe_ms = timeline.timeframe_ms
        self._block = timeline.blocks[s]
        self._signals = timeline.signals[s]
        self._runs = list(reversed(timeline.runs[s]))
        self._entries_from = row_after(timeline.runs[s], setup.rules.startup_candles)
        self._charged = np.flatnonzero(self._signals & k.FUNDING)
        self._scores = scores[s] if len(scores) else None
        self._columns = np.empty((len(graph.columns), len(timeline)))
        if len(graph.columns) == 1 and self._scores is not None:
            self._columns = self._scores.reshape(1, -1)
        self._parameters = graph.parameters()
        self._state = self._feeds = np.empty(0)
        self._cursors = np.empty(0, np.int64)
        self._at = BEFORE

    def write(self, first: int, last: int) -> None:
        """Write the signals of rows first to last - 1; blocks come in order."""
        while self._runs and self._runs[-1][0] < last:
            start, end = self._runs[-1]
            if self._at == BEFORE:
                self._begin(start, end)
            stop = min(end, last)
            self._go_on(stop)
            if stop < end:
                break
            self._runs.pop()
            self._at = BEFORE
        if first < self._entries_from:
            self._signals[first : min(last, self._entries_from)] &= NO_ENTRY
        if len(self._charged):
            a, b = np.searchsorted(self._charged, (first, last))
            self._signals[self._charged[a:b]] |= k.FUNDING

    def _begin(self, start: int, end: int) -> None:
        """Start the warm-up of an unbroken run of candles."""
        graph, block = self._graph, self._block[:, start:end]
        feeds = feeds_of(graph, block, self._timeframe_ms)
        self._at = start
        if self._function.lists:
            # Plain Python takes the whole run at once: it is for tests and short histories.
            columns = self._columns[:, start:end]
            written = np.zeros(end - start, np.uint8)
            made = np.empty_like(columns)
            signals(graph, self._function, block, written, feeds=feeds, V=made)
            self._signals[start:end] = written
            columns[:] = made
            return
        self._state = graph.new_state()
        self._feeds, cursors = feeder_block(graph, feeds)
        self._cursors = np.array([start, end, *cursors], dtype=np.int64)

    def _go_on(self, stop: int) -> None:
        """Run the graph up to row `stop`."""
        start, self._at = self._at, stop
        if not self._function.lists:
            self._cursors[0], self._cursors[1] = start, stop
            self._function.call(
                self._block, self._feeds, self._parameters, self._state, self._cursors, self._signals, self._columns
            )
        if self._scores is not None and len(self._columns) > 1:
            self._scores[start:stop] = self._columns[0, start:stop]


BEFORE = -1
"""Where a run of candles is that has not been begun."""

NO_ENTRY = np.uint8(255 - ENTER_LONG - ENTER_SHORT)


def row_after(runs: tuple[tuple[int, int], ...], candles: int) -> int:
    """Return the row behind the first `candles` candles of a symbol (its last row when it has fewer)."""
    row = 0
    for start, end in runs:
        if candles <= 0:
            break
        row = min(end, start + candles)
        candles -= row - start
    return row


def refuse_rules(setup: Setup, instruments: tuple[Instrument, ...]) -> None:
    """Raise BadInput when an instrument does not allow what rules and strategy ask for."""
    bits = {output.bit for output in setup.graph.outputs}
    for instrument in instruments:
        where = f"{instrument.symbol} on {instrument.venue}"
        if setup.rules.leverage > instrument.max_leverage:
            most = instrument.max_leverage
            raise BadInput(f"{where}: leverage {setup.rules.leverage} is not allowed; allowed: 1 to {most}")
        if instrument.kind == "spot" and ENTER_SHORT in bits:
            raise BadInput(f"{where}: spot can't be sold short, and the strategy does that; use swaps, or longs only")


def grid_of(instruments: tuple[Instrument, ...]) -> Ints:
    """Return the kernel's GRID: ticks, lots and fees of each instrument."""
    return np.array(
        [[*i.tick, *i.unit, *i.lot, i.min_lots, i.taker_fee_e8, i.maker_fee_e8] for i in instruments], np.int64
    )


def numbers_of(rules: RiskRules, slippage: float) -> Floats:
    """Return the kernel's RULES."""
    numbers = np.zeros(k.RULES_COLUMNS)
    numbers[k.R_SIZING] = rules.sizing
    numbers[k.R_AMOUNT] = rules.amount
    numbers[k.R_ALLOCATION] = rules.allocation
    numbers[k.R_LEVERAGE] = rules.leverage
    numbers[k.R_TRADABLE] = rules.tradable
    numbers[k.R_MAX_NOTIONAL] = rules.max_notional
    numbers[k.R_STOP] = rules.stop
    numbers[k.R_TARGET] = rules.target
    numbers[k.R_MAX_POSITIONS] = rules.max_positions
    numbers[k.R_SLIPPAGE] = slippage
    return numbers
