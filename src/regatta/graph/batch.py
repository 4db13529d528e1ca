"""Running a graph over history."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from regatta.graph.functions import GraphFunction
from regatta.graph.graph import Block, Feeder, Graph
from regatta.graph.market import CANDLE_COLUMNS

Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Feeds = Mapping[str, Block]


def signals(
    graph: Graph,
    function: GraphFunction,
    X: Block,
    SIG: Bytes,
    *,
    feeds: Feeds | None = None,
    V: Block | None = None,
    state: Block | None = None,
    parameters: Block | None = None,
    first: int = 0,
    last: int | None = None,
) -> Block:
    """Write the signal byte of candles `first` to `last` - 1 of X into SIG and return the state.

    X: float64 (6, n), rows close_ms, open, high, low, close, volume; SIG: uint8 (n,).
    feeds: each feeder's block (1 + columns, rows), row 0 the known-at times, rising; with first > 0
    only rows that are still to come.
    V: float64 (len(graph.columns), n) for the graph's columns; may be left out where it has none.
    state: of the candles before (it is written); left out: a new one.
    The candles are taken as they are: see check_candles for what must hold of them.
    """
    n = X.shape[1]
    V = np.empty((len(graph.columns), n)) if V is None else V
    if X.shape[0] != 6 or SIG.shape != (n,) or V.shape != (len(graph.columns), n):
        raise ValueError(
            f"X is {X.shape}, SIG {SIG.shape}, V {V.shape}; needed: (6, n), (n,), ({len(graph.columns)}, n)"
        )
    S = graph.new_state() if state is None else state
    P = graph.parameters() if parameters is None else parameters
    F, cursors = feeder_block(graph, feeds or {})
    J = np.array([first, n if last is None else last, *cursors], dtype=np.int64)
    if function.lists:
        _run_on_lists(function, X, F, P, S, J, SIG, V)
    else:
        function(writable(X), F, P, S, J, SIG, V)
    return S


def _run_on_lists(
    function: GraphFunction, X: Block, F: Block, P: Block, S: Block, J: Any, SIG: Bytes, V: Block
) -> None:
    state, cursors = S.tolist(), J.tolist()
    function(X.tolist(), F.tolist(), P.tolist(), state, cursors, SIG, V)
    S[:] = state
    J[:] = cursors


def writable(X: Block) -> Block:
    """Return X as the compiled code takes it: contiguous float64. Copies only where X is not."""
    return np.require(X, np.float64, ["C", "W"])


def feeder_block(graph: Graph, feeds: Feeds) -> tuple[Block, list[int]]:
    """Return all feeders' rows as one flat block, and start, rows and cursor of each for J.

    Raises ValueError when a feeder is missing, unknown, of the wrong shape, or its rows are not
    finite or not in the order of their known-at times.
    """
    names = [f.name for f in graph.feeders]
    if set(feeds) - set(names):
        unknown = ", ".join(sorted(set(feeds) - set(names)))
        raise ValueError(f"the rules use no feeder {unknown}; used: {', '.join(names) or 'none'}")
    blocks, cursors, start = [], [], 0
    for feeder in graph.feeders:
        if feeder.name not in feeds:
            raise ValueError(f"rows of the feeder {feeder.name} are missing")
        rows = feeder_rows(feeder, feeds[feeder.name])
        blocks.append(rows.ravel())
        cursors += [start, rows.shape[1], 0]
        start += rows.size
    return (np.concatenate(blocks) if blocks else np.empty(0)), cursors


def feeder_rows(feeder: Feeder, rows: Block) -> Block:
    """Return a feeder's block, contiguous. Raises ValueError as feeder_block."""
    rows = np.ascontiguousarray(rows, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[0] != 1 + len(feeder.columns):
        wanted = f"({1 + len(feeder.columns)}, rows): known_ms, {', '.join(feeder.columns)}"
        raise ValueError(f"feeder {feeder.name} is {rows.shape}; needed: {wanted}")
    refuse_unknown(rows, ("known_ms", *feeder.columns), f"feeder {feeder.name}, row")
    backwards = np.flatnonzero(np.diff(rows[0]) < 0)
    if backwards.size:
        at = int(backwards[0]) + 1
        raise ValueError(f"feeder {feeder.name}, row {at}: known at {rows[0, at]:.0f}, before the row above it")
    return rows


def check_candles(X: Block, timeframe_ms: int, after_ms: int | None = None) -> None:
    """Raise ValueError where a candle holds NaN or infinity, or does not follow the one before.

    after_ms: close time of the candle before X, if there is one.
    """
    refuse_unknown(X, ("close_ms", *CANDLE_COLUMNS), "candle")
    gaps = np.flatnonzero(np.diff(X[0]) != timeframe_ms)
    if gaps.size:
        at = int(gaps[0]) + 1
        raise ValueError(step_refusal(int(X[0, at - 1]), int(X[0, at]), timeframe_ms))
    if after_ms is not None and X.shape[1] and X[0, 0] != after_ms + timeframe_ms:
        raise ValueError(step_refusal(after_ms, int(X[0, 0]), timeframe_ms))


def refuse_unknown(X: Block, names: tuple[str, ...], what: str) -> None:
    """Raise ValueError that names the first NaN or infinity of a block. names: of its rows."""
    finite = np.isfinite(X)
    if not finite.all():
        row, column = (int(n[0]) for n in np.nonzero(~finite.T))  # the earliest candle first
        raise ValueError(f"{what} {row}: {names[column]} is {X[column, row]}; a finite number is needed")


def step_refusal(last_ms: int, close_ms: int, timeframe_ms: int) -> str:
    """Return the message for a candle that does not follow the last one."""
    kind = "a gap" if close_ms > last_ms + timeframe_ms else "a candle out of order"
    return (
        f"{kind}: the candle that closed at {close_ms} follows the one that closed at {last_ms}; "
        f"expected: {last_ms + timeframe_ms}"
    )


def segments(X: Block, timeframe_ms: int) -> list[tuple[int, int]]:
    """Return the unbroken runs of the candles of X as (first, end): each starts its own warm-up."""
    breaks = (np.flatnonzero(np.diff(X[0]) != timeframe_ms) + 1).tolist()
    edges = [0, *breaks, X.shape[1]]
    return [(a, b) for a, b in pairwise(edges) if a < b]
