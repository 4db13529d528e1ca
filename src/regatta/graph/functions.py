"""The callable form of a graph, plain or compiled."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class GraphFunction:
    """`function(X, F, P, S, J, SIG, V)`: runs the candles J[0] to J[1] - 1 of the block X.

    X: float64 (6, n): close_ms, open, high, low, close, volume. F: float64, all feeders' blocks
    one after the other, each row by row. P, S: the graph's parameters and state (S is written).
    J: int64: first candle, end, then for each feeder the start of its block in F, the number of
    its rows, and its cursor (written). SIG: uint8 (n,), written. V: float64 (columns, n), written.

    call: the function; `dispatcher` to the compiler when it is compiled.
    live: the cheapest way to call it with one candle, same arguments.
    lists: X, F, P, S and J are lists (of lists) instead of arrays, SIG and the rows of V memoryviews.
    """

    key: str
    call: Callable[..., None]
    live: Callable[..., None]
    lists: bool

    def __call__(self, X: Any, F: Any, P: Any, S: Any, J: Any, SIG: Any, V: Any) -> None:
        self.call(X, F, P, S, J, SIG, V)
