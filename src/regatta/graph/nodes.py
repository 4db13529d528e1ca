"""Expressions: what a strategy is written in.

A `Node` is a number per candle, a `Condition` a yes or no per candle. Both are only
descriptions; `build` turns the ones a strategy uses into one function. Each node lives on a
clock: the strategy's own candles (BASE), or one feeder's rows. Where nodes of two clocks meet,
the strategy's own clock goes on and the others' last known values are held.

Unknown values (NaN: warming up, or a division by zero) meet no condition, nor its opposite:
`~` turns conditions round when they are made, so that no `not` ever stands before an unknown
comparison.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

from regatta.indicators import DELAY, Operator

BASE = ""
"""Name of the clock of the strategy's own candles."""

Number = int | float

OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">"}


class Node:
    """A number per candle. Combine with + - * / and compare with < <= > >=."""

    @property
    def clock(self) -> str | None:
        """Name of the clock the node is evaluated on; None: a constant, at home on every clock."""
        raise NotImplementedError

    @property
    def label(self) -> str:
        """The node in words, as the user would write it."""
        raise NotImplementedError

    def __add__(self, other: "Node | Number") -> "Node":
        return Arithmetic("+", self, node(other))

    def __radd__(self, other: Number) -> "Node":
        return Arithmetic("+", node(other), self)

    def __sub__(self, other: "Node | Number") -> "Node":
        return Arithmetic("-", self, node(other))

    def __rsub__(self, other: Number) -> "Node":
        return Arithmetic("-", node(other), self)

    def __mul__(self, other: "Node | Number") -> "Node":
        return Arithmetic("*", self, node(other))

    def __rmul__(self, other: Number) -> "Node":
        return Arithmetic("*", node(other), self)

    def __truediv__(self, other: "Node | Number") -> "Node":
        """Divide; unknown (NaN) where the divisor is 0."""
        return Arithmetic("/", self, node(other))

    def __rtruediv__(self, other: Number) -> "Node":
        return Arithmetic("/", node(other), self)

    def __neg__(self) -> "Node":
        return Arithmetic("-", Constant(0.0), self)

    def __lt__(self, other: "Node | Number") -> "Condition":
        return Compare("<", self, node(other))

    def __le__(self, other: "Node | Number") -> "Condition":
        return Compare("<=", self, node(other))

    def __gt__(self, other: "Node | Number") -> "Condition":
        return Compare(">", self, node(other))

    def __ge__(self, other: "Node | Number") -> "Condition":
        return Compare(">=", self, node(other))

    def __pow__(self, _: object) -> NoReturn:
        raise TypeError("powers differ between plain and compiled code: write x * x")

    def __bool__(self) -> NoReturn:
        raise TypeError(f"{self.label} has no truth value: compare it, e.g. `x > 0`")


@dataclass(frozen=True, eq=False)
class Constant(Node):
    """The same number at every candle. In the generated code a parameter, never text."""

    value: float

    @property
    def clock(self) -> None:
        return None

    @property
    def label(self) -> str:
        return f"{self.value:g}"


@dataclass(frozen=True, eq=False)
class Column(Node):
    """One column of the candles, or of a feeder's rows. row: its row in the block, 0 is the time."""

    feeder: str
    name: str
    row: int

    @property
    def clock(self) -> str:
        return self.feeder

    @property
    def label(self) -> str:
        return f"{self.feeder}.{self.name}" if self.feeder else self.name


@dataclass(frozen=True, eq=False)
class Arithmetic(Node):
    """a operator b. operator: one of + - * / min max."""

    operator: str
    a: Node
    b: Node

    @cached_property
    def clock(self) -> str | None:
        return common_clock(self.a, self.b)

    @cached_property
    def label(self) -> str:
        if self.operator in ("min", "max"):
            return f"{self.operator}({self.a.label}, {self.b.label})"
        return f"({self.a.label} {self.operator} {self.b.label})"


@dataclass(frozen=True, eq=False)
class Application(Node):
    """One output of an operator applied to nodes."""

    operator: Operator
    inputs: tuple[Node, ...]
    parameters: tuple[int, ...]
    output: int = 0

    def __post_init__(self) -> None:
        self.operator.refuse(self.parameters)
        if self.clock is None:
            raise ValueError(f"{self.label}: a constant has no past to take an indicator of")

    @cached_property
    def clock(self) -> str | None:
        return common_clock(*self.inputs)

    @cached_property
    def label(self) -> str:
        parts = [i.label for i in self.inputs] + [str(p) for p in self.parameters]
        name = self.operator.outputs[self.output]
        prefix = "" if name == self.operator.name else f"{self.operator.name}."
        return f"{prefix}{name}({', '.join(parts)})"


@dataclass(frozen=True, eq=False)
class Previous(Node):
    """The value one candle earlier on the node's own clock. Costs one number of state."""

    x: Node

    @property
    def clock(self) -> str | None:
        return self.x.clock

    @property
    def label(self) -> str:
        return f"before({self.x.label})"


@dataclass(frozen=True, eq=False)
class Held(Node):
    """A feeder's node as seen on the strategy's own clock: its last known value."""

    x: Node

    @property
    def clock(self) -> str:
        return BASE

    @property
    def label(self) -> str:
        return self.x.label


@dataclass(frozen=True, eq=False)
class Choice(Node):
    """a where the condition is met, else (also where it is unknown) b."""

    condition: "Condition"
    a: Node
    b: Node

    @cached_property
    def clock(self) -> str | None:
        return common_clock(*self.condition.nodes, self.a, self.b)

    @cached_property
    def label(self) -> str:
        return f"where({self.condition.label}, {self.a.label}, {self.b.label})"


class Condition:
    """A yes or no per candle. Combine with & (and), | (or), ~ (not)."""

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The numbers it looks at, in order."""
        raise NotImplementedError

    @property
    def label(self) -> str:
        """The condition in words, as the user would write it."""
        raise NotImplementedError

    def opposite(self) -> "Condition":
        """Return the condition that is met when this one is known and not met."""
        raise NotImplementedError

    def __and__(self, other: "Condition") -> "Condition":
        return Every(parts(Every, self) + parts(Every, condition(other)))

    def __or__(self, other: "Condition") -> "Condition":
        return Some(parts(Some, self) + parts(Some, condition(other)))

    def __invert__(self) -> "Condition":
        return self.opposite()

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "a condition has no value before the candles come: write & | ~ instead of and, or, not, "
            "and (a < x) & (x < b) instead of a < x < b"
        )


@dataclass(frozen=True, eq=False)
class Compare(Condition):
    """a relation b. relation: one of < <= > >=."""

    relation: str
    a: Node
    b: Node

    @property
    def nodes(self) -> tuple[Node, ...]:
        return self.a, self.b

    @property
    def label(self) -> str:
        return f"{self.a.label} {self.relation} {self.b.label}"

    def opposite(self) -> Condition:
        return Compare(OPPOSITE[self.relation], self.a, self.b)


@dataclass(frozen=True, eq=False)
class Cross(Condition):
    """a was on one side of b, or on it, one candle ago and is on the other now.

    direction: "above" or "below". Both nodes are on one clock.
    """

    direction: str
    a: Node
    b: Node

    @property
    def sides(self) -> tuple[Compare, Compare]:
        """What must hold of the candle before, and of this one."""
        before, now = ("<=", ">") if self.direction == "above" else (">=", "<")
        return Compare(before, previous(self.a), previous(self.b)), Compare(now, self.a, self.b)

    @property
    def nodes(self) -> tuple[Node, ...]:
        was, now = self.sides
        return (*was.nodes, *now.nodes)

    @property
    def label(self) -> str:
        return f"{self.a.label} crosses {self.direction} {self.b.label}"

    def opposite(self) -> Condition:
        was, now = self.sides
        return was.opposite() | now.opposite()


@dataclass(frozen=True, eq=False)
class Every(Condition):
    """Met when all members are."""

    members: tuple[Condition, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(n for m in self.members for n in m.nodes)

    @property
    def label(self) -> str:
        return " & ".join(f"({m.label})" for m in self.members)

    def opposite(self) -> Condition:
        return Some(tuple(m.opposite() for m in self.members))


@dataclass(frozen=True, eq=False)
class Some(Condition):
    """Met when at least one member is."""

    members: tuple[Condition, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(n for m in self.members for n in m.nodes)

    @property
    def label(self) -> str:
        return " | ".join(f"({m.label})" for m in self.members)

    def opposite(self) -> Condition:
        return Every(tuple(m.opposite() for m in self.members))


def node(value: object) -> Node:
    """Return the value as a node. Raises TypeError when it is neither a node nor a finite number."""
    if isinstance(value, Node):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
        if number - number == 0.0:
            return Constant(number)
    raise TypeError(f"{value!r} is neither a node (such as m.close) nor a finite number")


def condition(value: object) -> Condition:
    """Return the value as a condition. Raises TypeError when it is none."""
    if isinstance(value, Condition):
        return value
    raise TypeError(f"{value!r} is not a condition: compare nodes, e.g. `rsi(m.close, 14) < 75`")


def parts(kind: type[Every] | type[Some], member: Condition) -> tuple[Condition, ...]:
    """Return the members of a nested Every or Some of that kind, so that chains stay flat."""
    return member.members if isinstance(member, kind) else (member,)


def common_clock(*nodes: Node) -> str | None:
    """Return the clock on which these nodes meet: their own if it is one, else BASE."""
    clocks = {n.clock for n in nodes} - {None}
    return clocks.pop() if len(clocks) == 1 else BASE if clocks else None


def held(x: Node) -> Node:
    """Return x as seen on the strategy's own clock: its last known value."""
    return x if x.clock in (BASE, None) else Held(x)


def previous(x: Node) -> Node:
    """Return x of one candle earlier."""
    return x if x.clock is None else Previous(x)


def before(x: Node, candles: int = 1) -> Node:
    """Return x of some candles earlier on its own clock."""
    return previous(x) if candles == 1 else Application(DELAY, (x,), (candles,))


def cross(direction: str, a: Any, b: Any) -> Condition:
    """Return the crossing of two nodes (or a node and a number), brought to one clock."""
    one, other = node(a), node(b)
    if common_clock(one, other) is None:
        raise ValueError(f"{one.label} and {other.label} are both constants and never cross")
    if common_clock(one, other) == BASE:
        one, other = held(one), held(other)
    return Cross(direction, one, other)
