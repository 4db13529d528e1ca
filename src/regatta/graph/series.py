"""A graph on one symbol's candles as they come: the batch, one candle long."""

import struct
from hashlib import sha256
from typing import Any

import numpy as np

from regatta.domain.signal import Check
from regatta.graph.batch import Bytes, Feeds, check_candles, feeder_block, feeder_rows, signals, step_refusal
from regatta.graph.functions import GraphFunction
from regatta.graph.graph import Block, Graph
from regatta.graph.higher import HigherCandles
from regatta.graph.market import CANDLE_COLUMNS
from regatta.graph.reading import show

CheckValue = Check
"""A check with the numbers behind it; `passed` is None while it warms up."""

WARMING_UP = "warming_up"
"""Stands for the first failing check until every check can be evaluated."""

HEADER = struct.Struct("<4s20s32sq")  # mark, graph's key, hash of the parameters, close awaited
MARK = b"RGS1"
NEVER = -(2**63)
write_candle = struct.Struct("6d").pack_into


class Series:
    """One graph on the candles of one symbol, in order and without gaps.

    Holds the state; any GraphFunction of the same graph may run it (see `use`). Candles of the
    higher timeframes that the graph looks at are made from the series' own; with
    make_higher=False they come from outside, through `feed` or `batch`.
    """

    def __init__(self, graph: Graph, function: GraphFunction, timeframe_ms: int, *, make_higher: bool = True) -> None:
        self.graph = graph
        higher = [f.name for f in graph.feeders if f.is_timeframe and make_higher]
        self._higher = HigherCandles(higher, timeframe_ms) if higher else None
        self.timeframe_ms = timeframe_ms
        self._state = graph.new_state()
        self._next_ms = NEVER
        self._pending: dict[str, list[tuple[float, ...]]] = {f.name: [] for f in graph.feeders}
        self._fed_ms = dict.fromkeys(self._pending, NEVER)
        self._outputs = {o.bit: (o.failing, (*o.names, "", WARMING_UP)) for o in graph.outputs}
        self._columns = dict(zip(graph.columns, graph.column_cells, strict=True))
        self._prepare(function)

    # --- Candles in, signals out -------------------------------------------------------------

    def step(self, close_ms: int, open_: float, high: float, low: float, close: float, volume: float) -> int:
        """Take one closed candle and return its signal byte.

        Raises ValueError, and changes nothing, when it does not follow the last candle or holds
        NaN or infinity.
        """
        if close_ms != self._next_ms and self._next_ms != NEVER:
            raise ValueError(step_refusal(self._next_ms - self.timeframe_ms, close_ms, self.timeframe_ms))
        if (open_ + high + low + close + volume) * 0.0 != 0.0:  # NaN, or what gives it
            refuse(close_ms, (open_, high, low, close, volume))
        write_candle(self._candle, 0, close_ms, open_, high, low, close, volume)
        if self._fed:
            self._step_with_rows(close_ms, open_, high, low, close, volume)
        else:
            self._live(*self._blocks)
        self._next_ms = close_ms + self.timeframe_ms
        return self._signal[0]

    def batch(self, X: Block, SIG: Bytes, feeds: Feeds | None = None, V: Block | None = None) -> None:
        """Take a block of candles (see `signals`) and write their signal bytes.

        feeds: rows of the feeders that are known by the last candle or later; what is later is
        kept for the candles to come. Raises ValueError, and changes nothing, as `step` does.
        """
        check_candles(X, self.timeframe_ms, self.last_ms)
        if not X.shape[1]:
            return
        last_ms = int(X[0, -1])
        self._split(feeds or {}, last_ms)  # refuses bad rows before anything changes
        rows, later = self._split(self._with_higher(X, feeds or {}), last_ms)
        state = self._array()
        signals(self.graph, self.function, X, SIG, feeds=rows, V=V, state=state)
        self._state = state
        self._pending = later
        self._fed_ms |= {name: int(waiting[-1][0]) for name, waiting in later.items() if waiting}
        self._next_ms = last_ms + self.timeframe_ms
        self._prepare(self.function)

    def feed(self, name: str, known_ms: int, *values: float) -> None:
        """Take a row of a feeder: it counts from the first candle that closes at known_ms or later.

        So a 4h candle goes in before the 1m candle that closes at the same time.
        Raises ValueError when that candle has been stepped already, or the row is not in order,
        of the wrong width, or not finite.
        """
        feeder = next((f for f in self.graph.feeders if f.name == name), None)
        if feeder is None:
            raise ValueError(f"the rules use no feeder {name}; used: {', '.join(self._pending) or 'none'}")
        if len(values) != len(feeder.columns):
            raise ValueError(f"feeder {name}: got {len(values)} values; needed: {', '.join(feeder.columns)}")
        if sum(values) * 0.0 != 0.0:
            raise ValueError(f"feeder {name}, known at {known_ms}: {values}; finite numbers are needed")
        last_ms = NEVER if self.last_ms is None else self.last_ms
        if known_ms < self._fed_ms[name] or known_ms <= last_ms:
            after = max(self._fed_ms[name], last_ms)
            raise ValueError(f"feeder {name}: a row known at {known_ms} comes after {after} was reached")
        self._pending[name].append((float(known_ms), *map(float, values)))
        self._fed_ms[name] = known_ms
        self._fed = True

    def reset(self) -> None:
        """Forget everything: after a gap that can't be filled the warm-up starts again."""
        self._start(self.graph.new_state(), NEVER)

    def use(self, function: GraphFunction) -> None:
        """Go on with another form of the same graph, e.g. the compiled one when it is ready."""
        if function.key != self.graph.key:
            raise ValueError(f"function of the graph {function.key}; needed: {self.graph.key}")
        self._state = self._array()
        self._prepare(function)

    # --- What it knows -----------------------------------------------------------------------

    @property
    def last_ms(self) -> int | None:
        """Close time of the newest candle; None: there is none."""
        return None if self._next_ms == NEVER else self._next_ms - self.timeframe_ms

    @property
    def warm(self) -> bool:
        """Whether every check can be evaluated."""
        return bool(self._cells[self.graph.outputs[0].failing] >= 0.0)

    def first_failing(self, output: int) -> str:
        """Return the first check of that output (its bit) that fails now; "" when all pass."""
        cell, names = self._outputs[output]
        return names[int(self._cells[cell])]

    def checks(self, output: int) -> tuple[CheckValue, ...]:
        """Return every check of that output (its bit) with the numbers of the newest candle."""
        its = self.graph.output(output)
        return tuple(show(name, r, self._cells) for name, r in zip(its.names, its.readings, strict=True))

    def values(self) -> dict[str, float]:
        """Return the newest value of each node, by its words ("ema(close, 9)"); NaN: not known."""
        cells = self._cells
        return {label: cells[cell] for label, cell in self.graph.values.items()}

    def column(self, name: str) -> float:
        """Return the newest value of a column of the rules, e.g. "score"; NaN: not known."""
        return self._columns[name].read(self._cells)

    # --- State -------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """Return the state, to go on from with `restore`. Rows fed but not yet reached are not in it."""
        head = HEADER.pack(MARK, self.graph.key.encode(), self._parameters_hash(), self._next_ms)
        making = [] if self._higher is None else self._higher.numbers()
        return head + np.concatenate([self._array(), making]).tobytes()

    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot. Raises ValueError when it is of another graph or other numbers."""
        if len(snapshot) < HEADER.size or snapshot[:4] != MARK:
            raise ValueError("not a snapshot of a series")
        _, key, parameters, next_ms = HEADER.unpack_from(snapshot)
        if key.decode() != self.graph.key or parameters != self._parameters_hash():
            raise ValueError("a snapshot of other rules or other parameters; the series must warm up instead")
        numbers = np.frombuffer(snapshot, np.float64, offset=HEADER.size)
        cells = self._state.size
        making = [] if self._higher is None else self._higher.numbers()
        if numbers.size != cells + len(making):
            raise ValueError(f"a snapshot of {numbers.size} numbers; needed: {cells + len(making)}")
        self._start(numbers[:cells].copy(), next_ms)
        if self._higher is not None:
            self._higher.restore(numbers[cells:].tolist())

    # --- Blocks ------------------------------------------------------------------------------

    def _start(self, state: Block, next_ms: int) -> None:
        self._state, self._next_ms = state, next_ms
        self._pending = {name: [] for name in self._pending}
        self._fed_ms = dict.fromkeys(self._pending, NEVER)
        if self._higher is not None:
            self._higher.restore(())
        self._prepare(self.function)

    def _prepare(self, function: GraphFunction) -> None:
        """Lay out the blocks of a batch of one as the function takes them."""
        self.function = function
        self._live = function.live
        self._fed = self._higher is not None or any(self._pending.values())
        J = [0, 1] + [0] * (3 * len(self.graph.feeders))
        X, signal, V = np.zeros((6, 1)), np.zeros(1, np.uint8), np.zeros((len(self.graph.columns), 1))
        self._candle, self._signal = X.data, signal.data
        P = self.graph.parameters()
        if function.lists:
            self._cells: Any = self._state.tolist()
            candle, columns = [row.data for row in X], [row.data for row in V]
            self._blocks: tuple[Any, ...] = (candle, [], P.tolist(), self._cells, J, self._signal, columns)
        else:
            self._cells = self._state.data
            self._blocks = (X, np.empty(0), P, self._state, np.array(J, dtype=np.int64), signal, V)

    def _array(self) -> Block:
        """Return the state as an array: the state itself, where the function runs on arrays."""
        return np.array(self._cells) if self.function.lists else self._state

    def _step_with_rows(self, close_ms: int, *candle: float) -> None:
        """Run the candle together with the rows that are known by its close."""
        if self._higher is not None:
            for name, values in self._higher.take(close_ms, *candle):
                self.feed(name, close_ms, *values)
        X, _, P, S, _, SIG, V = self._blocks
        rows, later = self._split({}, close_ms)
        F, cursors = feeder_block(self.graph, rows)
        J: Any = np.array([0, 1, *cursors], dtype=np.int64)
        if self.function.lists:
            F, J = F.tolist(), J.tolist()
        self._live(X, F, P, S, J, SIG, V)
        self._pending = later
        self._fed = self._higher is not None or any(later.values())

    def _with_higher(self, X: Block, feeds: Feeds) -> Feeds:
        """Return the feeds together with the higher candles that the candles of X complete."""
        if self._higher is None:
            return feeds
        made: dict[str, list[tuple[float, ...]]] = {}
        for close_ms, *values in X.T.tolist():
            for name, row in self._higher.take(int(close_ms), *values):
                made.setdefault(name, []).append((close_ms, *row))
        return {**feeds, **{name: np.array(its).T for name, its in made.items()}}

    def _split(self, feeds: Feeds, until_ms: int) -> tuple[Feeds, dict[str, list[tuple[float, ...]]]]:
        """Return the rows known by until_ms as blocks, and those that are still to come."""
        unknown = ", ".join(sorted(set(feeds) - set(self._pending)))
        if unknown:
            raise ValueError(f"the rules use no feeder {unknown}; used: {', '.join(self._pending) or 'none'}")
        now: dict[str, Block] = {}
        later: dict[str, list[tuple[float, ...]]] = {}
        for feeder in self.graph.feeders:
            waiting = np.array(self._pending[feeder.name]).reshape(-1, 1 + len(feeder.columns)).T
            rows = np.concatenate([waiting, feeds[feeder.name]], axis=1) if feeder.name in feeds else waiting
            feeder_rows(feeder, rows)
            known = int(np.searchsorted(rows[0], until_ms, side="right"))
            now[feeder.name] = rows[:, :known]
            later[feeder.name] = [tuple(row) for row in rows[:, known:].T.tolist()]
        return now, later

    def _parameters_hash(self) -> bytes:
        return sha256(self.graph.parameters().tobytes()).digest()


def refuse(close_ms: int, values: tuple[float, ...]) -> None:
    """Raise ValueError that names the value of a candle that is NaN or infinite, if one is."""
    for name, value in zip(CANDLE_COLUMNS, values, strict=True):
        if value - value != 0.0:
            raise ValueError(f"candle that closed at {close_ms}: {name} is {value}; a finite number is needed")
