"""The callable form of a graph, plain or compiled."""

from array import array
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
    lists: it takes lists (of lists) instead of arrays; `live` wants SIG and the rows of V as memoryviews.
    """

    key: str
    call: Callable[..., None]
    live: Callable[..., None]
    lists: bool

    def __call__(self, X: Any, F: Any, P: Any, S: Any, J: Any, SIG: Any, V: Any) -> None:
        self.call(X, F, P, S, J, SIG, V)


def on_lists(graph: Callable[..., None]) -> Callable[..., None]:
    """Return the plain function with SIG and V written where they are lists: it writes to slices of them."""

    def call(X: Any, F: Any, P: Any, S: Any, J: Any, SIG: Any, V: Any) -> None:
        a, b = J[0], J[1]
        signals = memoryview(bytearray(b))
        columns = [memoryview(array("d", bytes(8 * b))) for _ in V]
        graph(X, F, P, S, J, signals, columns)
        SIG[a:b] = signals[a:b] if isinstance(SIG, memoryview) else signals[a:b].tolist()
        for row, written in zip(V, columns, strict=True):
            row[a:b] = written[a:b] if isinstance(row, memoryview) else written[a:b].tolist()

    return call
