"""From rules to one function: share equal nodes, give each its place, write the source."""

from collections.abc import Callable, Hashable
from hashlib import sha256
from typing import Any

from regatta.graph.fingerprint import fingerprint
from regatta.graph.graph import Feeder, Graph, Output
from regatta.graph.layout import Call, Layout, Place
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
from regatta.graph.source import write

ARITHMETIC = {
    "+": "{a} + {b}",
    "-": "{a} - {b}",
    "*": "{a} * {b}",
    "/": "({a} / {b} if {b} != 0.0 else nan)",
    "min": "({a} if {a} < {b} else {b} if {b} <= {a} else nan)",
    "max": "({a} if {a} > {b} else {b} if {b} >= {a} else nan)",
}
"""The operators in the source: division guarded, min and max unknown when a side is."""


def build(rules: Rules) -> Graph:
    """Return the graph of the rules. Equal nodes become one; numbers become parameters."""
    builder = _Builder()
    layout = builder.layout
    conditions = [[builder.condition(condition) for _, condition in checks] for _, checks in rules.outputs]
    columns = {name: builder.place(x) for name, x in rules.numbers}
    outputs = tuple(
        Output(bit, checks.names, tuple(reading for _, reading in parts), layout.bare_cell(-1.0))
        for (bit, checks), parts in zip(rules.outputs, conditions, strict=True)
    )
    texts = [[text for text, _ in parts] for parts in conditions]
    source = write(
        layout,
        [(o.bit, o.failing, its) for o, its in zip(outputs, texts, strict=True)],
        [p.text for p in columns.values()],
    )
    steps = "".join(f"{name} {fingerprint(step)}\n" for name, step in builder.operators.items())
    ring_cells = layout.close()
    base, *feeders = layout.clocks.values()
    return Graph(
        source=source,
        key=sha256((source + steps).encode()).hexdigest()[:20],
        warmup=base.warmup,
        history=base.history,
        feeders=tuple(Feeder(c.name, c.columns, c.warmup, c.history) for c in feeders),
        outputs=outputs,
        columns=tuple(columns),
        column_cells=tuple(place.cell for place in columns.values()),
        operators=builder.operators,
        values=layout.values,
        _parameters=tuple(layout.parameters),
        _state=tuple(layout.state),
        _ring_cells=ring_cells,
    )


class _Builder:
    """Walks the rules once and gives every node a place."""

    def __init__(self) -> None:
        self.layout = Layout()
        self.operators: dict[str, Callable[..., Any]] = {}
        self._places: dict[Hashable, Place] = {}
        self._calls: dict[Hashable, Call] = {}
        self._met: dict[int, tuple[Node, Place]] = {}  # by id; the node is kept so that its id stays its own

    # --- Nodes -------------------------------------------------------------------------------

    def place(self, x: Node) -> Place:
        """Return the place of a node, made when no equal node has one yet."""
        if isinstance(x, Constant):
            # A parameter for each use: which constants happen to be equal must not shape the source.
            return Place(("constant", x.value), self.layout.parameter(x.value), Cell(None, x.value), 0, 0)
        if id(x) not in self._met:
            place = self._make(x)
            self._met[id(x)] = x, place
            clock = self.layout.clock(x.clock or BASE)
            clock.warmup = max(clock.warmup, place.warmup)
            clock.history = max(clock.history, place.history)
        return self._met[id(x)][1]

    def _make(self, x: Node) -> Place:
        match x:
            case Application():
                return self._application(x)
            case Column(feeder, _, row):
                return self._shared((feeder, row), lambda key: self._column(x, key))
            case Arithmetic(operator, a, b):
                return self._shared((operator, self._key(a), self._key(b)), lambda key: self._arithmetic(x, key))
            case Previous(of):
                return self._shared(("before", self._key(of)), lambda key: self._previous(x, key))
            case Choice(condition, a, b):
                key = ("choice", self._condition_key(condition), self._key(a), self._key(b))
                return self._shared(key, lambda key: self._choice(x, key))
            case Held(of):
                inner = self.place(of)
                return self._shared(("held", inner.key), lambda key: Place(key, inner.text, inner.cell, 1, 1))
        raise TypeError(f"{type(x).__name__} is not a node of the graph")

    def _shared(self, key: Hashable, make: Callable[[Hashable], Place]) -> Place:
        if key not in self._places:
            self._places[key] = make(key)
        return self._places[key]

    def _key(self, x: Node) -> Hashable:
        return ("constant", x.value) if isinstance(x, Constant) else self.place(x).key

    def _column(self, x: Column, key: Hashable) -> Place:
        clock = self.layout.clock(x.feeder)
        place = self.layout.value(x.label, key, 1, 1)
        if x.feeder == BASE:
            self.layout.rows.add(x.row)
            clock.lines.append(f"{place.text} = x{x.row}[i]")
        else:
            n = clock.number
            clock.columns = CANDLE_COLUMNS if x.name in CANDLE_COLUMNS else (x.name,)
            clock.lines.append(f"{place.text} = F[f{n} + {x.row} * m{n} + c{n}]")
        return place

    def _arithmetic(self, x: Arithmetic, key: Hashable) -> Place:
        a, b = self.place(x.a), self.place(x.b)
        place = self.layout.value(x.label, key, *self._inherited(x, x.a, x.b))
        self._line(x, f"{place.text} = {ARITHMETIC[x.operator].format(a=a.text, b=b.text)}")
        return place

    def _previous(self, x: Previous, key: Hashable) -> Place:
        inner = self.place(x.x)
        place = self.layout.value_before(key, inner)
        # Taken before anything of this candle is worked out: the value is still the last one's.
        self.layout.clock(x.clock or BASE).before.append(f"{place.text} = {inner.text}")
        return place

    def _choice(self, x: Choice, key: Hashable) -> Place:
        text, _ = self.condition(x.condition)
        a, b = self.place(x.a), self.place(x.b)
        place = self.layout.value(x.label, key, *self._inherited(x, x.a, x.b, *x.condition.nodes))
        self._line(x, f"{place.text} = {a.text} if {text} else {b.text}")
        return place

    def _inherited(self, x: Node, *inputs: Node) -> tuple[int, int]:
        """Return warm-up and history of the inputs on x's own clock; held ones warm up on theirs."""
        own = [self.place(i) for i in inputs if i.clock == x.clock]
        return max([p.warmup for p in own], default=1), max([p.history for p in own], default=1)

    def _line(self, x: Node, line: str | Call) -> None:
        self.layout.clock(x.clock or BASE).lines.append(line)

    # --- Steps -------------------------------------------------------------------------------

    def _application(self, x: Application) -> Place:
        key = (x.operator, *(self._key(i) for i in x.inputs), x.parameters)
        if key not in self._calls:
            self._calls[key] = self._call(x)
        call = self._calls[key]
        place = call.outputs[x.output]
        if place is None:
            place = self.layout.value(x.label, (key, x.output), call.warmups[x.output], call.history)
            call.outputs[x.output] = place
        return place

    def _call(self, x: Application) -> Call:
        operator, numbers = x.operator, x.parameters
        inputs = [self.place(i) for i in x.inputs]
        warmup, history = self._inherited(x, *x.inputs)
        arguments = [p.text for p in inputs]
        arguments += [self.layout.parameter(c) for c in operator.constants(*numbers)]
        cells = operator.ring(*numbers)
        if cells:
            arguments += ["S", self.layout.ring(cells)]
        state = []
        for initial in operator.state(*numbers):
            prefix = "k" if isinstance(initial, int) else "s"
            state.append(f"{prefix}{self.layout.cell(initial, prefix)}")
        doubtful = [p.text for p, i in zip(inputs, x.inputs, strict=True) if may_be_unknown(i, x)]
        call = Call(
            state=state,
            expression=f"{self._step(operator.step)}({', '.join(arguments + state)})",
            warmups=[warmup + own - 1 for own in operator.warmup(*numbers)],
            history=history + operator.memory(*numbers),
            outputs=[None] * len(operator.outputs),
            doubtful=[] if operator.takes_unknown else doubtful,
        )
        self._line(x, call)
        return call

    def _step(self, function: Callable[..., Any]) -> str:
        """Return the name of a step in the source; two functions of one name get two names."""
        name = function.__name__
        while self.operators.setdefault(name, function) is not function:
            name += "_"
        return name

    # --- Conditions --------------------------------------------------------------------------

    def condition(self, c: Condition) -> tuple[str, Reading]:
        """Return the condition as text in brackets, and the way to read it afterwards.

        With & and | instead of `and` and `or`: evaluating all of it is as fast, and every branch
        in the source is one more block for the compiler.
        """
        match c:
            case Compare(relation, a, b):
                one, other = self.place(a), self.place(b)
                return f"({one.text} {relation} {other.text})", Comparison(relation, one.cell, other.cell)
            case Cross(direction):
                (was, was_read), (now, now_read) = (self.condition(side) for side in c.sides)
                if isinstance(was_read, Comparison) and isinstance(now_read, Comparison):
                    return f"({was} & {now})", Crossing(direction, was_read, now_read)
            case Every(members):
                texts, readings = zip(*(self.condition(m) for m in members), strict=True)
                return f"({' & '.join(texts)})", Group(len(texts), readings)
            case Some(members):
                texts, readings = zip(*(self.condition(m) for m in members), strict=True)
                return f"({' | '.join(texts)})", Group(1, readings)
        raise TypeError(f"{type(c).__name__} is not a condition of the graph")

    def _condition_key(self, c: Condition) -> Hashable:
        match c:
            case Compare(relation, a, b):
                return relation, self._key(a), self._key(b)
            case Cross(direction, a, b):
                return direction, self._key(a), self._key(b)
            case Every(members) | Some(members):
                return (type(c).__name__, *(self._condition_key(m) for m in members))
        raise TypeError(f"{type(c).__name__} is not a condition of the graph")


def may_be_unknown(x: Node, of: Node) -> bool:
    """Return whether x can be NaN where a node takes it. Columns can't: candles and rows are finite."""
    return not (isinstance(x, Constant) or (isinstance(x, Column) and x.clock == of.clock))
