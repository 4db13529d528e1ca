"""Where a graph keeps its numbers: parameters, state, and what is done on each clock."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from math import nan

from regatta.graph.nodes import BASE
from regatta.graph.reading import Cell


@dataclass(slots=True)
class Place:
    """A node in the graph. text: how the source calls it; cell: where the state keeps it.

    warmup, history: candles of the node's own clock until it is known, and until it is settled.
    """

    key: Hashable
    text: str
    cell: Cell
    warmup: int
    history: int


@dataclass(slots=True)
class Call:
    """One call of a step: the state it takes and gives, and a place for each output that is used.

    doubtful: inputs that may be unknown; where one is, the step is left out.
    """

    state: list[str]
    expression: str
    warmups: list[int]
    history: int
    outputs: list[Place | None]
    doubtful: list[str]

    def lines(self) -> list[str]:
        results = self.state + ["_" if place is None else place.text for place in self.outputs]
        line = f"{', '.join(results)} = {self.expression}"
        if not self.doubtful:
            return [line]
        known = " and ".join(f"{text} == {text}" for text in self.doubtful)
        unknown = " = ".join(place.text for place in self.outputs if place is not None)
        return [f"if {known}:", f"    {line}", "else:", f"    {unknown} = nan"]


@dataclass(slots=True)
class Clock:
    """The candles of the strategy (number 0), or the rows of one feeder, and what is done at each."""

    name: str
    number: int
    counter: int
    warmup_parameter: int
    columns: tuple[str, ...] = ()
    before: list[str] = field(default_factory=list)
    lines: list[str | Call] = field(default_factory=list)
    warmup: int = 1
    history: int = 1

    def start(self) -> list[str]:
        return [f"t{self.counter} += 1", *self.before]

    def steps(self) -> list[str]:
        return [text for line in self.lines for text in ([line] if isinstance(line, str) else line.lines())]


class Layout:
    """Hands out places in P and S, and notes the lines that load and store them."""

    def __init__(self) -> None:
        self.parameters: list[float] = []
        self.state: list[float] = []
        self.loads: list[str] = []
        self.stores: list[str] = []
        self.values: dict[str, int] = {}
        self.rows: set[int] = set()  # rows of X in use
        self.clocks: dict[str, Clock] = {}
        self._rings: list[tuple[int, int]] = []
        self.clock(BASE)

    def parameter(self, value: float) -> str:
        """Add a number to P and return its name in the source; a whole number stays one."""
        index = len(self.parameters)
        self.parameters.append(float(value))
        whole = isinstance(value, int)
        self.loads.append(f"n{index} = int(P[{index}])" if whole else f"p{index} = P[{index}]")
        return f"{'n' if whole else 'p'}{index}"

    def cell(self, initial: float, prefix: str) -> int:
        """Add a cell to S and return its index. prefix: of its local, see `source`."""
        index = self.bare_cell(initial)
        if prefix in ("k", "t"):
            self.loads.append(f"{prefix}{index} = int(S[{index}])")
            self.stores.append(f"S[{index}] = {prefix}{index} * 1.0")
        else:
            self.loads.append(f"{prefix}{index} = S[{index}]")
            self.stores.append(f"S[{index}] = {prefix}{index}")
        return index

    def bare_cell(self, initial: float) -> int:
        """Add a cell without a local."""
        self.state.append(float(initial))
        return len(self.state) - 1

    def ring(self, cells: int) -> str:
        """Add a ring to S and return the name of the parameter that holds its base."""
        self._rings.append((len(self.parameters), cells))
        return self.parameter(0)

    def value(self, label: str, key: Hashable, warmup: int, history: int) -> Place:
        """Return a new place for the value of a node."""
        index = self.values[label] = self.cell(nan, "v")
        return Place(key, f"v{index}", Cell(index), warmup, history)

    def value_before(self, key: Hashable, of: Place) -> Place:
        """Return a new place for the value one candle ago."""
        index = self.cell(nan, "w")
        return Place(key, f"w{index}", Cell(index), of.warmup + 1, of.history + 1)

    def clock(self, name: str) -> Clock:
        """Return the clock of that name, made when there is none yet."""
        if name not in self.clocks:
            counter, warmup = self.cell(0, "t"), len(self.parameters)
            self.parameter(1)
            self.clocks[name] = Clock(name, len(self.clocks), counter, warmup)
        return self.clocks[name]

    def close(self) -> int:
        """Fill in what is known only at the end: warm-ups and ring bases. Return the rings' cells."""
        for clock in self.clocks.values():
            self.parameters[clock.warmup_parameter] = float(clock.warmup)
        end = len(self.state)
        for parameter, cells in self._rings:
            self.parameters[parameter] = float(end)
            end += cells
        return end - len(self.state)
