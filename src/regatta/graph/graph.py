"""A built graph: one source text for every way of running it, and the numbers it runs on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np

from regatta.graph.functions import GraphFunction, on_lists
from regatta.graph.market import CANDLE_COLUMNS
from regatta.graph.reading import Cell, Reading

Block = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Feeder:
    """Rows that reach the graph beside its candles, each with the time at which it was known.

    name: a timeframe such as "4h", or the name of an outside value. A block of its rows has
    shape (1 + len(columns), rows), row 0 the known-at time in ms, rising.
    warmup, history: as the graph's, in rows of this feeder.
    """

    name: str
    columns: tuple[str, ...]
    warmup: int
    history: int

    @property
    def is_timeframe(self) -> bool:
        return self.columns == CANDLE_COLUMNS


@dataclass(frozen=True, slots=True)
class Output:
    """One bit of the signal byte. failing: the cell that holds the index of its first failing check."""

    bit: int
    names: tuple[str, ...]
    readings: tuple[Reading, ...]
    failing: int


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """What `build` makes of rules. Graphs that differ in numbers only have the same source and key.

    source: text of `graph(X, F, P, S, J, SIG, V)`; see `source`.
    key: hash of the source and of all steps it calls.
    warmup: candles until every check can be evaluated; no bit is set before.
    history: candles after which what lay before weighs less than 1e-9 in every value.
    columns, column_cells: names of the rows of V, and where the state keeps their newest values.
    operators: names of the steps in the source, and the functions.
    values: cells of the state that hold the newest value of each node, by the node's words.
    """

    source: str
    key: str
    warmup: int
    history: int
    feeders: tuple[Feeder, ...]
    outputs: tuple[Output, ...]
    columns: tuple[str, ...]
    column_cells: tuple[Cell, ...]
    operators: Mapping[str, Callable[..., Any]]
    values: Mapping[str, int]
    _parameters: tuple[float, ...]
    _state: tuple[float, ...]
    _ring_cells: int

    def parameters(self) -> Block:
        """Return P, float64: the strategy's numbers, constants of the steps, warm-ups, ring bases."""
        return np.array(self._parameters)

    def new_state(self) -> Block:
        """Return S of a graph that has seen nothing, float64: counters, state, values, rings (NaN)."""
        return np.array(self._state + (nan,) * self._ring_cells)

    def plain(self) -> GraphFunction:
        """Return the graph as plain Python on lists: the reference, and what serves until compiled."""
        namespace: dict[str, Any] = dict(self.operators)
        exec(compile(self.source, f"<graph {self.key}>", "exec"), namespace)  # noqa: S102 - our own text
        return GraphFunction(self.key, on_lists(namespace["graph"]), namespace["graph"], lists=True)

    def output(self, bit: int) -> Output:
        """Return the output of that bit. Raises KeyError when the rules declare none."""
        for output in self.outputs:
            if output.bit == bit:
                return output
        raise KeyError(f"the rules have no output for bit {bit}")
