"""From rules to one function: share equal nodes, lay out parameters and state, write the source.

The generated text, for a strategy with one feeder:

    def graph(X, F, P, S, J, SIG, V):
        p3 = P[3]; n4 = int(P[4]) ...            numbers, constants, warm-ups, ring bases
        v7 = S[7]; k8 = int(S[8]) ...            what the last call left
        for i in range(J[0], J[1]):
            w9 = v7                              values of the candle before
            while c5 < m5 and F[f5 + c5] <= x0[i]:
                ...                              steps of the feeder's nodes: all that is known now
            k8, s10, v7 = ema_step(v6, n4, p3, k8, s10)
            ...
            g = 0
            if t0 >= n0 and t1 >= n1:            every check can be evaluated
                if v7 > p11 and ...: g |= 1
            SIG[i] = g
        S[7] = v7 ...
        S[2] = 0.0 if not (...) else ...         first failing check of each output

Names have prefixes by what they are, so that none can meet another: x columns, f m c start, rows
and cursor of a feeder, p n parameters (float, int), s k state (float, int), t candles seen,
v values, w values one candle ago, r rows of V. Numbers are never text: graphs that differ in
numbers only are one text. Which names exist depends on the rules' shape alone.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from hashlib import sha256
from math import nan
from typing import Any

from regatta.graph.fingerprint import fingerprint
from regatta.graph.graph import Feeder, Graph, Output
from regatta.graph.market import CANDLE_COLUMNS
from regatta.graph.nodes import (
    BASE,
    Application,
    Arithmetic,
    Choice,
    Column,
    Compare,
    Condition,
    Constant,
    Cross,
    Every,
    Held,
    Node,
    Previous,
    Some,
)
from regatta.graph.reading import Cell, Comparison, Crossing, Group, Reading
from regatta.graph.rules import Rules

PYTHON_ARITHMETIC = {
    "+": "{a} + {b}",
    "-": "{a} - {b}",
    "*": "{a} * {b}",
    "/": "({a} / {b} if {b} != 0.0 else nan)",
    "min": "({a} if {a} < {b} else {b} if {b} <= {a} else nan)",
    "max": "({a} if {a} > {b} else {b} if {b} >= {a} else nan)",
}


def build(rules: Rules) -> Graph:
    """Return the graph of the rules."""
    return _Builder().build(rules)


@dataclass(slots=True)
class _Place:
    """A node in the graph. text: how the source calls it; cell: where the state keeps it."""

    key: Hashable
    text: str
    cell: Cell
    warmup: int
    history: int


@dataclass(slots=True)
class _Call:
    """One step call: its text left of the outputs and right of `=`, and a place for each output."""

    state: list[str]
    expression: str
    warmups: list[int]
    history: int
    outputs: list[_Place | None]

    def line(self) -> str:
        results = self.state + ["_" if place is None else place.text for place in self.outputs]
        return f"{', '.join(results)} = {self.expression}"


@dataclass(slots=True)
class _Clock:
    """Candles of one timeframe, or rows of one feeder, and the lines that handle each."""

    name: str
    counter: int
    warmup_parameter: int
    columns: tuple[str, ...]
    number: int
    before: list[str] = field(default_factory=list)
    lines: list[str | _Call] = field(default_factory=list)
    warmup: int = 1
    history: int = 1

    def start(self) -> list[str]:
        return [f"t{self.counter} += 1", *self.before]

    def steps(self) -> list[str]:
        return [line if isinstance(line, str) else line.line() for line in self.lines]


class _Builder:
    def __init__(self) -> None:
        self.parameters: list[float] = []
        self.state: list[float] = []
        self.head: list[str] = []  # loads of parameters and state
        self.tail: list[str] = []  # stores of state
        self.rings: list[tuple[int, int]] = []  # parameter that holds the base, cells
        self.operators: dict[str, Callable[..., Any]] = {}
        self.places: dict[Hashable, _Place] = {}
        self.known: dict[int, tuple[Node, _Place]] = {}  # by id; the node is kept so that its id stays its own
        self.calls: dict[Hashable, _Call] = {}
        self.values: dict[str, int] = {}
        self.rows: set[int] = set()  # rows of X in use
        self.clocks: dict[str, _Clock] = {}
        self.clock(BASE)

    # --- The whole ---------------------------------------------------------------------------

    def build(self, rules: Rules) -> Graph:
        conditions = [[(name, *self.condition(c)) for name, c in checks] for _, checks in rules.outputs]
        columns = [(name, self.place(x).text) for name, x in rules.numbers]
        outputs = tuple(
            Output(bit, checks.names, tuple(r for _, _, r in parts), self.cell(-1.0, "failing"))
            for (bit, checks), parts in zip(rules.outputs, conditions, strict=True)
        )
        source = self.source(
            [(o, [text for _, text, _ in parts]) for o, parts in zip(outputs, conditions, strict=True)],
            [text for _, text in columns],
        )
        for clock in self.clocks.values():
            self.parameters[clock.warmup_parameter] = float(clock.warmup)
        ring = len(self.state)
        for parameter, cells in self.rings:
            self.parameters[parameter] = float(ring)
            ring += cells
        steps = "".join(f"{name} {fingerprint(step)}\n" for name, step in self.operators.items())
        base, *feeders = self.clocks.values()
        return Graph(
            source=source,
            key=sha256((source + steps).encode()).hexdigest()[:20],
            warmup=base.warmup,
            history=base.history,
            feeders=tuple(Feeder(c.name, c.columns, c.warmup, c.history) for c in feeders),
            outputs=outputs,
            columns=tuple(name for name, _ in columns),
            operators=self.operators,
            values=self.values,
            _parameters=tuple(self.parameters),
            _state=tuple(self.state),
            _ring_cells=ring - len(self.state),
        )

    def source(self, outputs: list[tuple[Output, list[str]]], columns: list[str]) -> str:
        base, *feeders = self.clocks.values()
        warm = " and ".join(f"t{c.counter} >= n{c.warmup_parameter}" for c in self.clocks.values())
        if feeders:
            self.rows.add(0)
        lines = [f"x{row} = X[{row}]" for row in sorted(self.rows)] + self.head
        for c in feeders:
            j = 2 + 3 * (c.number - 1)
            lines += [f"f{c.number} = J[{j}]", f"m{c.number} = J[{j + 1}]", f"c{c.number} = J[{j + 2}]"]
        lines += [f"r{n} = V[{n}]" for n in range(len(columns))]

        loop = base.start()
        for c in feeders:
            loop += [f"while c{c.number} < m{c.number} and F[f{c.number} + c{c.number}] <= x0[i]:"]
            loop += indented([*c.start(), *c.steps(), f"c{c.number} += 1"])
        loop += base.steps()
        loop += [f"r{n}[i] = {text}" for n, text in enumerate(columns)]
        loop += ["g = 0", f"if {warm}:"]
        for output, texts in outputs:
            loop += indented([f"if {' and '.join(texts)}:", f"    g |= {output.bit}"])
        loop += ["SIG[i] = g"]

        lines += ["for i in range(J[0], J[1]):", *indented(loop), *self.tail]
        lines += [f"J[{2 + 3 * (c.number - 1) + 2}] = c{c.number}" for c in feeders]
        for output, texts in outputs:
            chain = " else ".join(f"{float(n)} if not ({text})" for n, text in enumerate(texts))
            lines += [f"S[{output.failing}] = -1.0 if not ({warm}) else {chain} else {float(len(texts))}"]
        return "\n".join(["from math import nan", "", "", "def graph(X, F, P, S, J, SIG, V):", *indented(lines), ""])

    # --- Parameters, state, clocks -----------------------------------------------------------

    def parameter(self, value: float) -> str:
        """Add a number to P and return its name in the source: a whole number stays one."""
        index = len(self.parameters)
        self.parameters.append(float(value))
        if isinstance(value, int):
            self.head.append(f"n{index} = int(P[{index}])")
            return f"n{index}"
        self.head.append(f"p{index} = P[{index}]")
        return f"p{index}"

    def cell(self, initial: float, kind: str) -> int:
        """Add a cell to S and return its index. kind: prefix of its local; "failing" has none."""
        index = len(self.state)
        self.state.append(float(initial))
        if kind != "failing":
            whole = kind in ("k", "t")
            self.head.append(f"{kind}{index} = {f'int(S[{index}])' if whole else f'S[{index}]'}")
            self.tail.append(f"S[{index}] = {f'{kind}{index} * 1.0' if whole else f'{kind}{index}'}")
        return index

    def clock(self, name: str) -> _Clock:
        if name not in self.clocks:
            counter = self.cell(0, "t")
            warmup = len(self.parameters)
            self.parameter(1)
            self.clocks[name] = _Clock(name, counter, warmup, (), len(self.clocks))
        return self.clocks[name]

    def value(self, label: str, key: Hashable, warmup: int, history: int, prefix: str = "v") -> _Place:
        index = self.cell(nan, prefix)
        if prefix == "v":
            self.values[label] = index
        return _Place(key, f"{prefix}{index}", Cell(index), warmup, history)

    # --- Nodes -------------------------------------------------------------------------------

    def place(self, x: Node) -> _Place:
        """Return the place of a node, made when there is none yet. Equal nodes have one place."""
        if isinstance(x, Constant):
            # A parameter for each use: which constants happen to be equal must not shape the source.
            text = self.parameter(x.value)
            return _Place(x.value, text, Cell(None, x.value), 0, 0)
        if id(x) not in self.known:
            place = self.make(x)
            self.known[id(x)] = x, place
            clock = self.clock(x.clock or BASE)
            clock.warmup = max(clock.warmup, place.warmup)
            clock.history = max(clock.history, place.history)
        return self.known[id(x)][1]

    def make(self, x: Node) -> _Place:
        match x:
            case Column(feeder, name, row):
                return self.shared(x, (feeder, row), lambda: self.column(x, feeder, name, row))
            case Arithmetic(operator, a, b):
                return self.expression(x, operator, PYTHON_ARITHMETIC[operator], [a, b])
            case Application():
                return self.application(x)
            case Previous(of):
                return self.previous(x, of)
            case Held(of):
                inner = self.place(of)
                key = ("held", inner.key)
                return self.shared(x, key, lambda: _Place(key, inner.text, inner.cell, 1, 1))
            case Choice():
                return self.choice(x)
        raise TypeError(f"{type(x).__name__} is not a node of the graph")

    def shared(self, x: Node, key: Hashable, make: Callable[[], _Place]) -> _Place:
        if key not in self.places:
            self.places[key] = make()
        return self.places[key]

    def column(self, x: Node, feeder: str, name: str, row: int) -> _Place:
        clock = self.clock(feeder)
        place = self.value(x.label, (feeder, row), 1, 1)
        if feeder == BASE:
            self.rows.add(row)
            clock.lines.append(f"{place.text} = x{row}[i]")
        else:
            clock.columns = ("value",) if name == "value" else CANDLE_COLUMNS
            n = clock.number
            clock.lines.append(f"{place.text} = F[f{n} + {row} * m{n} + c{n}]")
        return place

    def inputs(self, x: Node, nodes: list[Node]) -> tuple[list[_Place], int, int]:
        """Return the places of the nodes, and warm-up and history that x inherits on its own clock."""
        places = [self.place(n) for n in nodes]
        own = [p for p, n in zip(places, nodes, strict=True) if n.clock == x.clock]
        return places, max([p.warmup for p in own], default=1), max([p.history for p in own], default=1)

    def expression(self, x: Node, operator: str, template: str, nodes: list[Node]) -> _Place:
        known = (operator, *(self.key(n) for n in nodes))
        if known in self.places:
            return self.places[known]
        places, warmup, history = self.inputs(x, nodes)
        place = self.places[known] = self.value(x.label, known, warmup, history)
        text = template.format(a=places[0].text, b=places[1].text)
        self.clock(x.clock or BASE).lines.append(f"{place.text} = {text}")
        return place

    def key(self, x: Node) -> Hashable:
        return ("constant", x.value) if isinstance(x, Constant) else self.place(x).key

    def application(self, x: Application) -> _Place:
        key = (x.operator, *(self.key(i) for i in x.inputs), x.parameters)
        call = self.calls.get(key)
        if call is None:
            call = self.calls[key] = self.call(x)
        place = call.outputs[x.output]
        if place is None:
            place = self.value(x.label, (key, x.output), call.warmups[x.output], call.history)
            call.outputs[x.output] = place
        return place

    def call(self, x: Application) -> _Call:
        operator, numbers = x.operator, x.parameters
        places, warmup, history = self.inputs(x, list(x.inputs))
        arguments = [p.text for p in places]
        arguments += [self.parameter(c) for c in operator.constants(*numbers)]
        cells = operator.ring(*numbers)
        if cells:
            self.rings.append((len(self.parameters), cells))
            arguments += ["S", self.parameter(0)]
        state = []
        for initial in operator.state(*numbers):
            prefix = "k" if isinstance(initial, int) else "s"
            state.append(f"{prefix}{self.cell(initial, prefix)}")
        call = _Call(
            state,
            f"{self.step(operator.step)}({', '.join(arguments + state)})",
            [warmup + own - 1 for own in operator.warmup(*numbers)],
            history + operator.memory(*numbers),
            [None] * len(operator.outputs),
        )
        self.clock(x.clock or BASE).lines.append(call)
        return call

    def step(self, function: Callable[..., Any]) -> str:
        """Return the name of a step in the source; two functions of one name get two names."""
        name = function.__name__
        while self.operators.setdefault(name, function) is not function:
            name += "_"
        return name

    def previous(self, x: Node, of: Node) -> _Place:
        inner = self.place(of)
        key = ("previous", inner.key)
        if key not in self.places:
            place = self.places[key] = self.value(x.label, key, inner.warmup + 1, inner.history + 1, "w")
            # Taken before anything of this candle is worked out: the value is still the last one's.
            self.clock(x.clock or BASE).before.append(f"{place.text} = {inner.text}")
        return self.places[key]

    def choice(self, x: Choice) -> _Place:
        key = ("choice", self.condition_key(x.condition), self.key(x.a), self.key(x.b))
        if key not in self.places:
            text, _ = self.condition(x.condition)
            places, warmup, history = self.inputs(x, [x.a, x.b, *x.condition.nodes])
            place = self.places[key] = self.value(x.label, key, warmup, history)
            line = f"{place.text} = {places[0].text} if {text} else {places[1].text}"
            self.clock(x.clock or BASE).lines.append(line)
        return self.places[key]

    # --- Conditions --------------------------------------------------------------------------

    def condition(self, c: Condition) -> tuple[str, Reading]:
        """Return the condition as text in brackets where needed, and the way to read it afterwards."""
        match c:
            case Compare(relation, a, b):
                one, other = self.place(a), self.place(b)
                return f"{one.text} {relation} {other.text}", Comparison(relation, one.cell, other.cell)
            case Cross(direction):
                (was_text, was), (now_text, now) = (self.condition(side) for side in c.sides)
                assert isinstance(was, Comparison) and isinstance(now, Comparison)
                return f"{was_text} and {now_text}", Crossing(direction, was, now)
            case Every(members) | Some(members):
                read = [self.condition(m) for m in members]
                needed = len(members) if isinstance(c, Every) else 1
                joint = " and " if isinstance(c, Every) else " or "
                texts = [f"({text})" if isinstance(m, Every | Some | Cross) else text for m, (text, _) in zip(members, read, strict=True)]
                return f"({joint.join(texts)})", Group(needed, tuple(r for _, r in read))
        raise TypeError(f"{type(c).__name__} is not a condition of the graph")

    def condition_key(self, c: Condition) -> Hashable:
        match c:
            case Compare(relation, a, b):
                return relation, self.key(a), self.key(b)
            case Cross(direction, a, b):
                return direction, self.key(a), self.key(b)
            case Every(members) | Some(members):
                return (type(c).__name__, *(self.condition_key(m) for m in members))
        raise TypeError(f"{type(c).__name__} is not a condition of the graph")


def indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
